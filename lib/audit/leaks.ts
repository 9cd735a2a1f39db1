import type { Lookalikes } from "./pictures.ts";

/** What identifies a pair or record when training and evaluation sets are compared. */
export interface LeakItem {
  /** Id of the question. */
  id: string;
  /** Id of its image. */
  imageId: string;
  /** The patient's case; null where it is not known. */
  caseId: string | null;
  /** Hash of the image file; null where it is not known. */
  imageSha256: string | null;
  /** What is asked; null for an image without a question. */
  question: string | null;
  /** The answer, likewise. */
  answer: string | null;
}

/**
 * image: same image id. bytes: same SHA-256. look: the same picture under another id, in other bytes. case: same
 * patient case. text: same question and telling answer.
 */
export type LeakKind = "image" | "bytes" | "look" | "case" | "text";

/** Items of a training set that are in an evaluation set in one way. */
export interface Leak {
  /** Name of the evaluation set. */
  set: string;
  /** What is the same. */
  kind: LeakKind;
  /** Every training item that is also in the set in this way: its id, and that of an evaluation item. */
  matches: [training: string, evaluation: string][];
}

/** Answers of fewer words ("left", "yes") are shared by chance and say nothing. */
const TELLING_WORDS = 4;

/** Words in lower case; a Chinese character counts as a word, since nothing parts words there. */
const wordsOf = (text: string | null): string[] =>
  (text ?? "").normalize("NFKC").toLowerCase().match(
    /\p{Script=Han}|[[\p{L}\p{N}\p{M}]--\p{Script=Han}]+/gv,
  ) ?? [];

/** The text by which two items are the same in one way; null or empty where an item says nothing. */
const KEYS: Record<LeakKind, (item: LeakItem) => string | null> = {
  image: (item) => item.imageId,
  bytes: (item) => item.imageSha256,
  look: (item) => item.imageId,
  case: (item) => item.caseId,
  text: ({ question, answer }) => {
    const told = wordsOf(answer);
    return told.length < TELLING_WORDS ? null : `${wordsOf(question).join(" ")}\n${told.join(" ")}`;
  },
};
const KINDS = Object.keys(KEYS) as LeakKind[];

/**
 * Looks for training items in evaluation sets: by image id, image bytes, look, patient case, and question with answer. An
 * item that leaks in two ways is listed in both, but for the look, which the same image and the same bytes have always.
 *
 * @param lookalikes which images were found to show the same picture (lookalikesOf)
 *
 * @example A scan that is in both sets
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findLeaks } from "@lib/audit/mod.ts";
 *
 * const item = { imageId: "scan 7", caseId: null, imageSha256: null, question: null, answer: null };
 * const leaks = findLeaks([{ ...item, id: "train/1" }], { test: [{ ...item, id: "test/1" }] });
 * assertEquals(leaks.find(({ kind }) => kind === "image")?.matches, [["train/1", "test/1"]]);
 * ```
 */
export function findLeaks(
  training: readonly LeakItem[],
  evaluation: Readonly<Record<string, readonly LeakItem[]>>,
  lookalikes: Lookalikes = new Map(),
): Leak[] {
  const keysOf = (items: readonly LeakItem[]) =>
    items.map((item) => ({ item, keys: KINDS.map((kind) => KEYS[kind](item)) }));
  const trained = keysOf(training);
  return Object.entries(evaluation).flatMap(([set, items]) => {
    const held = KINDS.map(() => new Map<string, string>());
    for (const { item, keys } of keysOf(items)) keys.forEach((key, k) => key && held[k].set(key, item.id));
    const found = KINDS.map((kind): Leak => ({ set, kind, matches: [] }));
    for (const { item, keys } of trained) {
      const others = keys.map((key, k) => {
        if (KINDS[k] !== "look") return key ? held[k].get(key) : undefined;
        return lookalikes.get(item.imageId)?.map((other) => held[k].get(other)).find((id) =>
          id !== undefined
        );
      });
      const same = others[KINDS.indexOf("image")] ?? others[KINDS.indexOf("bytes")];
      others.forEach((other, k) => {
        if (other === undefined || (KINDS[k] === "look" && same !== undefined)) return;
        found[k].matches.push([item.id, other]);
      });
    }
    return found.filter((leak) => leak.matches.length > 0);
  });
}

/**
 * Ids of the training items that show what an evaluation item shows, or are of its case: these must not be trained on.
 * Items that share words alone stay: many findings are said in the same words.
 */
export const leakingItems = (leaks: readonly Leak[]): Set<string> =>
  new Set(leaks.filter(({ kind }) => kind !== "text").flatMap(({ matches }) => matches.map(([id]) => id)));

/**
 * What is found when an evaluation item is hidden in training, for each way in which it may stay the same while all else
 * about it is changed: that way and no other should be.
 */
export function hideInTraining(
  item: LeakItem,
  evaluation: Readonly<Record<string, readonly LeakItem[]>>,
): { same: string; kind: LeakKind; found: string }[] {
  const fields: Record<LeakKind, (keyof LeakItem)[]> = {
    image: ["imageId"],
    bytes: ["imageSha256"],
    look: [],
    case: ["caseId"],
    text: ["question", "answer"],
  };
  const other = { imageId: "?", imageSha256: "?", caseId: "?", question: "?", answer: "?" };
  const copy = new Map([["?", [item.imageId]]]);
  return KINDS.filter((kind) => KEYS[kind](item)).map((kind) => {
    const same = fields[kind];
    const hidden = { ...item, ...other, ...Object.fromEntries(same.map((field) => [field, item[field]])) };
    const leaks = findLeaks([hidden], evaluation, kind === "look" ? copy : undefined);
    const found = [...new Set(leaks.map((leak) => leak.kind))].join(", ");
    return { same: same.join(" and ") || "look", kind, found: found || "nothing" };
  });
}
