import { rng } from "@lib/config/mod.ts";
import type { Model } from "@lib/model/mod.ts";
import {
  drawPhantom,
  isHeldOut,
  type Lesion,
  type Phantom,
  questionFor,
  type Style,
} from "@lib/phantom/mod.ts";
import type { Tokenizer } from "@lib/text/mod.ts";
import { type Accuracy, accuracyByType, greedyRight, type PhantomItem } from "@lib/nano/measure.ts";

/** Questions that a combination of lesion and organ may be new to: what the lesion is, and in which organ. */
export const COMBINATION_TYPES = ["type", "organ"] as const;
/** One of {@linkcode COMBINATION_TYPES}. */
export type CombinationType = typeof COMBINATION_TYPES[number];

/** The same questions with the same answers, about combinations that no training picture shows and about trained ones. */
export interface CombinationItems {
  /** About pictures with a combination that is held out. */
  heldOut: PhantomItem[];
  /** Item i has the answer of item i of `heldOut`: the same lesion in another organ, or another lesion in the same organ. */
  trained: PhantomItem[];
}

/**
 * `count` questions of either type about phantoms whose lesion and organ are held out from training, from `firstSeed` on, and as
 * many with the same answers about trained combinations. Of a question about the organ that is the same patient with
 * another lesion at the same place; of one about the lesion the next patient who has it in another organ.
 */
export function combinationItems(
  count: number,
  firstSeed: number,
  style: Style,
): Record<CombinationType, CombinationItems> {
  const random = rng(`combinations/${firstSeed}`), next = new Map<Lesion, number>();
  const items = Object.fromEntries(
    COMBINATION_TYPES.map((type): [string, CombinationItems] => [type, { heldOut: [], trained: [] }]),
  ) as Record<CombinationType, CombinationItems>;
  const ask = (phantom: Phantom, type: CombinationType, combinations: PhantomItem["combinations"]) => {
    const { question, answer } = questionFor(phantom, type, random)!, { seed } = phantom;
    const list = combinations === "all" ? items[type].heldOut : items[type].trained;
    list.push({ seed, style, combinations, type, question, answer });
  };
  const nextWith = (lesion: Lesion) => {
    for (let seed = next.get(lesion) ?? firstSeed;; seed++) {
      const phantom = drawPhantom(seed, style);
      if (phantom.lesion !== lesion) continue;
      next.set(lesion, seed + 1);
      return phantom;
    }
  };
  for (let seed = firstSeed; items.type.heldOut.length < count; seed++) {
    const phantom = drawPhantom(seed, style, { combinations: "all" });
    if (!isHeldOut(phantom)) continue;
    for (const type of COMBINATION_TYPES) ask(phantom, type, "all");
    ask(nextWith(phantom.lesion!), "type", "trained");
    ask(drawPhantom(seed, style), "organ", "trained");
  }
  return items;
}

/** How a model answers both kinds, greedily. */
export type CombinationAccuracy = Record<CombinationType, Record<keyof CombinationItems, Accuracy>>;

/** Asks a model about held-out and trained combinations. */
export async function combinationAccuracy(
  model: Model,
  tokenizer: Tokenizer,
  items: Record<CombinationType, CombinationItems>,
): Promise<CombinationAccuracy> {
  const of = async (list: readonly PhantomItem[]) =>
    accuracyByType(list, await greedyRight(model, tokenizer, list)).all;
  const both = async ({ heldOut, trained }: CombinationItems) => (
    { heldOut: await of(heldOut), trained: await of(trained) }
  );
  return { type: await both(items.type), organ: await both(items.organ) };
}
