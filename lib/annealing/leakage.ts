/** What identifies a pair or record when training and evaluation sets are compared. */
export interface LeakItem {
  id: string;
  imageId: string;
  caseId: string | null;
  imageSha256: string | null;
  /** Name of the picture that the image shows (picturesOf). */
  picture: string | null;
  question: string | null;
  answer: string | null;
}

/**
 * image: same image id. bytes: same SHA-256. near: near-identical picture under another id, in other bytes. case: same
 * patient case. text: same question and telling answer.
 */
export type LeakKind = "image" | "bytes" | "near" | "case" | "text";

export interface Leak {
  /** Name of the evaluation set. */
  set: string;
  kind: LeakKind;
  /** Training items that are also in the set in this way. */
  items: number;
  /** Up to three: training id and evaluation id. */
  examples: [string, string][];
  /** The name under which it can be accepted: `${set}/${kind}`. */
  name: string;
  accepted: boolean;
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
  near: (item) => item.picture,
  case: (item) => item.caseId,
  text: ({ question, answer }) => {
    const told = wordsOf(answer);
    return told.length < TELLING_WORDS ? null : `${wordsOf(question).join(" ")}\n${told.join(" ")}`;
  },
};
const KINDS = Object.keys(KEYS) as LeakKind[];

/**
 * Looks for training items in evaluation sets: by image id, image bytes, near-identical picture, patient case, and
 * question with answer. An item that leaks in two ways is counted in both, but for near, which the same image and the
 * same bytes are always.
 *
 * @param accept names of leaks (`${set}/${kind}`) that are known and let pass; they stay in the report
 * @returns all leaks found, accepted ones marked
 * @throws if a leak is found that is not accepted
 */
export function checkLeakage(
  training: readonly LeakItem[],
  evaluation: Readonly<Record<string, readonly LeakItem[]>>,
  accept: readonly string[] = [],
): Leak[] {
  const keysOf = (items: readonly LeakItem[]) =>
    items.map((item) => ({ id: item.id, keys: KINDS.map((kind) => KEYS[kind](item)) }));
  const trained = keysOf(training);
  const leaks = Object.entries(evaluation).flatMap(([set, items]) => {
    const held = KINDS.map(() => new Map<string, string>());
    for (const { id, keys } of keysOf(items)) keys.forEach((key, k) => key && held[k].set(key, id));
    const found = KINDS.map((kind): Leak => {
      const name = `${set}/${kind}`;
      return { set, kind, items: 0, examples: [], name, accepted: accept.includes(name) };
    });
    for (const { id, keys } of trained) {
      const others = keys.map((key, k) => key ? held[k].get(key) : undefined);
      const same = others[KINDS.indexOf("image")] ?? others[KINDS.indexOf("bytes")];
      others.forEach((other, k) => {
        if (other === undefined || (KINDS[k] === "near" && same !== undefined)) return;
        found[k].items++;
        if (found[k].examples.length < 3) found[k].examples.push([id, other]);
      });
    }
    return found.filter((leak) => leak.items > 0);
  });
  const refused = leaks.filter((leak) => !leak.accepted);
  if (refused.length > 0) {
    const list = refused.map(({ name, items, examples: [[a, b]] }) => `${name}: ${items} (e.g. ${a} is ${b})`)
      .join("; ");
    throw new Error(
      `expected no training item in an evaluation set, found ${list}; remove them or accept these names`,
    );
  }
  return leaks;
}
