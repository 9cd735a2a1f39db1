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
  /** The name under which it can be accepted: `${set}/${kind}`. */
  name: string;
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
 * question with answer. An item that leaks in two ways is listed in both, but for near, which the same image and the
 * same bytes are always.
 */
export function findLeaks(
  training: readonly LeakItem[],
  evaluation: Readonly<Record<string, readonly LeakItem[]>>,
): Leak[] {
  const keysOf = (items: readonly LeakItem[]) =>
    items.map((item) => ({ id: item.id, keys: KINDS.map((kind) => KEYS[kind](item)) }));
  const trained = keysOf(training);
  return Object.entries(evaluation).flatMap(([set, items]) => {
    const held = KINDS.map(() => new Map<string, string>());
    for (const { id, keys } of keysOf(items)) keys.forEach((key, k) => key && held[k].set(key, id));
    const found = KINDS.map((kind): Leak => ({ set, kind, name: `${set}/${kind}`, matches: [] }));
    for (const { id, keys } of trained) {
      const others = keys.map((key, k) => key ? held[k].get(key) : undefined);
      const same = others[KINDS.indexOf("image")] ?? others[KINDS.indexOf("bytes")];
      others.forEach((other, k) => {
        if (other === undefined || (KINDS[k] === "near" && same !== undefined)) return;
        found[k].matches.push([id, other]);
      });
    }
    return found.filter((leak) => leak.matches.length > 0);
  });
}

/**
 * Refuses training items that are in evaluation sets (findLeaks).
 *
 * @param accept names of leaks (`${set}/${kind}`) that are known and let pass
 * @returns the accepted leaks, for the report
 * @throws if a leak is found that is not accepted
 */
export function checkLeakage(
  training: readonly LeakItem[],
  evaluation: Readonly<Record<string, readonly LeakItem[]>>,
  accept: readonly string[] = [],
): Leak[] {
  const leaks = findLeaks(training, evaluation), refused = leaks.filter(({ name }) => !accept.includes(name));
  if (refused.length > 0) {
    const list = refused.map(({ name, matches }) =>
      `${name}: ${matches.length} (e.g. ${matches[0][0]} is ${matches[0][1]})`
    );
    throw new Error(
      `expected no training item in an evaluation set, found ${list.join("; ")}; ` +
        "remove them (findLeaks lists all) or accept these names",
    );
  }
  return leaks;
}

/**
 * What the audit finds when an evaluation item is hidden in training, for each way in which it may stay the same while
 * all else about it is changed: only that way should be found.
 */
export function hideInTraining(
  item: LeakItem,
  evaluation: Readonly<Record<string, readonly LeakItem[]>>,
): { same: string; found: string }[] {
  const fields: Record<LeakKind, (keyof LeakItem)[]> = {
    image: ["imageId"],
    bytes: ["imageSha256"],
    near: ["picture"],
    case: ["caseId"],
    text: ["question", "answer"],
  };
  const other = { imageId: "?", imageSha256: "?", picture: "?", caseId: "?", question: "?", answer: "?" };
  return Object.values(fields).map((same) => {
    const hidden = { ...item, ...other, ...Object.fromEntries(same.map((field) => [field, item[field]])) };
    const found = findLeaks([hidden], evaluation).map(({ name }) => name).join(", ");
    return { same: same.join(" and "), found: found || "nothing" };
  });
}
