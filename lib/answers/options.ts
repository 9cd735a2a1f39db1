import type { Config } from "../config/mod.ts";
import { type AskedItem, normaliseAnswer } from "../evaluation/mod.ts";
import { imageState, type ImageStore, keptItems } from "../model/mod.ts";
import { type ClusteredShare, clusteredShare, mean } from "../stats/mod.ts";
import { dispose, gather, type Group, tf } from "../tensor/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import { batchShape, exampleLosses, type ReadImages, toExamples, towerFeatures } from "../training/mod.ts";
import type { ReadySystem } from "./ask_cell.ts";

/** Items of which notebook 06 ranks the options in every rotation. */
export const ROTATED_ITEMS = 60;
/** Batches whose likelihoods are kept together. */
const TOGETHER = 32;

/** One multiple-choice item as the model ranks its options. */
export interface RankedItem {
  /** Id of the item. */
  id: string;
  /** Id of its image. */
  imageId: string;
  /** Place of the right option as published. */
  gold: number;
  /** For each way of listing the options: negative log-likelihood of each, in nats, the options as published. */
  rotations: { shift: number; nats: number[] }[];
}

/** The options, beginning with the one at place `shift`. */
const rotate = <T>(
  options: readonly T[],
  shift: number,
): T[] => [...options.slice(shift), ...options.slice(0, shift)];

/**
 * How likely the model finds each option of multiple-choice items as its answer, no word generated: as published and, of the first
 * `rotated` items, in every rotation of the list, so that each option stands once at each place (MMBench's CircularEval, Liu et
 * al. 2023, section 4.3). Items whose answer is none of their options are left out.
 *
 * @param system whose likelihoods are kept, and used when they are kept, where its weights have a name
 * @param options.group processes that share the items; all get all likelihoods
 * @throws the signal's reason between two batches, once it is aborted
 */
export async function rankOptions(
  { model, weights }: ReadySystem,
  tokenizer: Tokenizer,
  store: ImageStore,
  items: readonly AskedItem[],
  config: Config,
  { rotated, signal, group }: { rotated: number; signal?: AbortSignal; group?: Group },
): Promise<RankedItem[]> {
  const known = items.flatMap((item) => {
    const { choices } = item, answer = normaliseAnswer(item.answer);
    const gold = choices?.findIndex((choice) => normaliseAnswer(choice) === answer) ?? -1;
    return choices && gold >= 0 ? [{ ...item, choices, gold }] : [];
  });
  const asked = known.flatMap((item, i) =>
    (i < rotated ? item.choices : item.choices.slice(0, 1)).flatMap((_, shift) =>
      item.choices.map((answer) => ({ ...item, answer, choices: rotate(item.choices, shift) }))
    )
  );
  if (asked.length === 0) return [];
  const examples = toExamples(asked, tokenizer, model.config);
  const { compiler } = config.model, { batchSize } = config.evaluation, shape = batchShape(examples);
  const settings = { batchSize, shape, compiler };
  const named = weights === undefined ? undefined : { model, tokenizer, store, weights };
  const batches = Array.from(
    { length: Math.ceil(examples.length / batchSize) },
    (_, i) => examples.slice(i * batchSize, (i + 1) * batchSize),
  );
  const compute = towerFeatures(model, store, compiler);
  const read: ReadImages = async (paths) => { // each image once, though up to 16 examples in a row are about it
    const own = [...new Set(paths)], features = await compute(own);
    const rows = tf.tensor1d(paths.map((path) => own.indexOf(path)), "int32"), found = gather(features, rows);
    dispose([features, rows]);
    return found;
  };
  const losses = await keptItems(
    { room: "answers", kind: "likelihoods", together: TOGETHER, named, group },
    batches,
    (some) => [
      settings,
      some.flat().map(({ imagePath, sequence }) => [imagePath, imageState(imagePath), sequence]),
    ],
    (own) => exampleLosses(model, own.flat(), read, { ...settings, signal }),
  );
  let at = 0;
  return known.map(({ id, imageId, gold, choices }, i) => ({
    id,
    imageId,
    gold,
    rotations: Array.from({ length: i < rotated ? choices.length : 1 }, (_, shift) => ({
      shift,
      nats: losses.slice(at, at += choices.length),
    })),
  }));
}

const likeliest = (nats: readonly number[]): number => nats.indexOf(Math.min(...nats));

/** Probability of each option, of all options alone. */
export function optionProbabilities(nats: readonly number[]): number[] {
  const least = Math.min(...nats), weights = nats.map((x) => Math.exp(least - x));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** What likelihood says of a system's multiple-choice items. */
export interface OptionRanking {
  /** Items with options. */
  items: number;
  /** Items of which the likeliest option, listed as published, is the right one. */
  right: ClusteredShare;
  /** Items with all rotations, and how many of them are right in every one. */
  rotated: number;
  /** Share of them that are right in every rotation; null where there are none. */
  circular: ClusteredShare | null;
  /** Share of the likeliest options at each place of the longest lists, over their rotations; without a bias all are equal. */
  places: number[];
  /** Mean probability of the likeliest option; above the accuracy the system is too sure of itself. */
  confidence: number;
  /** Mean over items of the squared distance of the probabilities from the right option's (0 to 2; guessing: 1 - 1/options). */
  brier: number;
  /** Expected calibration error: mean distance of confidence and accuracy in five groups of like confidence and equal size. */
  calibrationError: number;
}

const GROUPS = 5;

/** What the likelihoods of options say of a system. @returns null of no items */
export function rankingOf(items: readonly RankedItem[]): OptionRanking | null {
  if (items.length === 0) return null;
  const first = items.map(({ gold, rotations: [{ nats }] }) => {
    const chances = optionProbabilities(nats), choice = likeliest(nats);
    const brier = chances.reduce((sum, p, i) => sum + (p - Number(i === gold)) ** 2, 0);
    return { right: Number(choice === gold), confidence: chances[choice], brier };
  });
  const images = items.map(({ imageId }) => imageId);
  const rotated = items.filter(({ rotations }) => rotations.length > 1);
  const most = Math.max(0, ...rotated.map(({ rotations }) => rotations.length));
  const picks = rotated.filter(({ rotations }) => rotations.length === most).flatMap(({ rotations }) =>
    rotations.map(({ shift, nats }) => (likeliest(nats) - shift + nats.length) % nats.length)
  );
  const always = rotated.map(({ gold, rotations }) =>
    Number(rotations.every(({ nats }) => likeliest(nats) === gold))
  );
  const sure = first.toSorted((a, b) => a.confidence - b.confidence);
  const groups = Array.from({ length: GROUPS }, (_, g) => {
    const edge = (k: number) => Math.round(k * sure.length / GROUPS);
    return sure.slice(edge(g), edge(g + 1));
  }).filter((group) => group.length > 0);
  return {
    items: items.length,
    right: clusteredShare(first.map(({ right }) => right), images),
    rotated: rotated.length,
    circular: rotated.length > 0 ? clusteredShare(always, rotated.map(({ imageId }) => imageId)) : null,
    places: Array.from({ length: most }, (_, place) => mean(picks.map((pick) => Number(pick === place)))),
    confidence: mean(first.map(({ confidence }) => confidence)),
    brier: mean(first.map(({ brier }) => brier)),
    calibrationError: groups.reduce((sum, group) =>
      sum + group.length / sure.length *
        Math.abs(mean(group.map(({ right }) => right)) - mean(group.map(({ confidence }) => confidence))), 0),
  };
}
