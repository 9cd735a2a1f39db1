/** What identifies a pair or record when training and evaluation sets are compared. */
export interface LeakItem {
  id: string;
  imageId: string;
  caseId: string | null;
  imageSha256?: string | null;
  question: string | null;
  answer: string | null;
}

/** image: same image id. bytes: same SHA-256. case: same patient case. text: same question and telling answer. */
export type LeakKind = "image" | "bytes" | "case" | "text";

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

const KEYS: Record<LeakKind, (item: LeakItem) => string | null> = {
  image: (item) => item.imageId,
  bytes: (item) => item.imageSha256 ?? null,
  case: (item) => item.caseId,
  text: ({ question, answer }) => {
    const tell = (text: string | null) =>
      (text ?? "").normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    const told = tell(answer);
    return told.length < TELLING_WORDS ? null : `${tell(question).join(" ")}\n${told.join(" ")}`;
  },
};

/**
 * Looks for training items in evaluation sets: by image id, image bytes, patient case, and question with answer.
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
  const leaks: Leak[] = [];
  for (const [set, items] of Object.entries(evaluation)) {
    for (const [kind, keyOf] of Object.entries(KEYS) as [LeakKind, typeof KEYS[LeakKind]][]) {
      const held = new Map(items.flatMap((item) => {
        const key = keyOf(item);
        return key === null ? [] : [[key, item.id] as const];
      }));
      const examples: Leak["examples"] = [];
      let count = 0;
      for (const item of training) {
        const other = held.get(keyOf(item) ?? "");
        if (other === undefined) continue;
        count++;
        if (examples.length < 3) examples.push([item.id, other]);
      }
      const name = `${set}/${kind}`;
      if (count > 0) leaks.push({ set, kind, items: count, examples, name, accepted: accept.includes(name) });
    }
  }
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
