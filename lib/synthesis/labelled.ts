import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { type CorpusRecord, loadRocoV1, loadSlake, loadVqaRad } from "../corpus/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import { type Interval, percent, wilsonInterval, yesOrNo } from "../stats/mod.ts";
import { type Candidate, FILTERS, type PairFilter } from "./filters.ts";
import { templatePairs } from "./pair.ts";

/** A pair about a real image of which it is known whether it is sound. */
export interface LabelledPair {
  /** The pair as a filter sees it. */
  candidate: Candidate;
  /** Whether a person, or the script that made it, calls it sound. */
  sound: boolean;
  /** Where pair and label come from. */
  source: "by hand" | "derived from those" | "SLAKE" | "VQA-RAD";
  /** Rules were written while these were looked at; the others are held out. */
  tuning: boolean;
}

type Asked = Pick<LabelledPair, "sound" | "source" | "tuning"> & {
  record: CorpusRecord;
  question: string;
  answer: string;
  known: string;
};

function labelled({ record, question, answer, known, ...label }: Asked): LabelledPair {
  const [pair] = templatePairs([{ record, type: "labelled", question, answer }]);
  return { ...label, candidate: { pair, known, kind: yesOrNo(answer) ? "yes-no" : "open" } };
}

const LABELS = ["sound", "wrong", "absent", "invisible"];

/** The pairs of data/labelled_pairs.tsv with the captions of ROCO v1 in `dir`. */
async function byHand(dir: string): Promise<Asked[]> {
  const { records } = await loadRocoV1(dir, { requireImages: false });
  const byId = new Map(records.map((record) => [`${record.split}/${record.sourceId}`, record]));
  const file = join(paths.data, "labelled_pairs.tsv");
  const lines = (await Deno.readTextFile(file)).trim().split("\n").filter((line) => !line.startsWith("#"));
  return lines.slice(1).map((line) => {
    const [id, label, question, answer] = line.split("\t"), record = byId.get(id);
    if (!record?.caption || !LABELS.includes(label) || !answer) {
      throw new Error(
        `${file}: expected a caption of ${dir}, a label (${
          LABELS.join(", ")
        }), a question and an answer; found "${line}".`,
      );
    }
    const tuning = Number(/\d+$/.exec(id)![0]) % 2 === 0, known = `Caption: ${record.caption}`;
    return { record, question, answer, known, sound: label === "sound", source: "by hand", tuning };
  });
}

/** Whether a caption has every telling word of an answer, so that the answer may be right of its image too. */
const saidIn = (known: string, answer: string): boolean =>
  answer.toLowerCase().split(/\W+/).filter((word) => word.length > 3 && word !== "side")
    .every((word) => known.toLowerCase().includes(word));

const SWAPPED: Record<string, string> = { left: "right", right: "left" };

/**
 * From each sound pair: the same in other words; yes and no exchanged; left and right exchanged; the answer of the next
 * question that begins alike about another image.
 */
function derived(sound: readonly Asked[], source: LabelledPair["source"]): Asked[] {
  return sound.flatMap((pair, i): Asked[] => {
    const { question, answer, record } = pair,
      closed = yesOrNo(answer),
      wrong = { ...pair, source, sound: false };
    const others = [...sound.slice(i + 1), ...sound.slice(0, i)];
    const begin = (text: string) => text.toLowerCase().split(" ").slice(0, 2).join(" ");
    const other = others.find((one) =>
      one.tuning === pair.tuning && one.record.imageId !== record.imageId &&
      begin(one.question) === begin(question) &&
      yesOrNo(one.answer) === null && !saidIn(pair.known, one.answer)
    );
    const lowered = question[0].toLowerCase() + question.slice(1);
    const sided = answer.replace(/\b(left|right)\b/gi, (side) => SWAPPED[side.toLowerCase()]);
    return [
      { ...pair, source, question: `In this image, ${lowered}` },
      ...(closed ? [{ ...wrong, answer: closed === "yes" ? "No" : "Yes" }] : []),
      ...(sided !== answer ? [{ ...wrong, answer: sided }] : []),
      ...(other && !closed ? [{ ...wrong, answer: other.answer }] : []),
    ];
  });
}

/** What a question with its answer says, as a sentence of a caption. */
function statement({ question, answer }: CorpusRecord): string {
  const rest = question!.replace(/\?\s*$/, "").replace(
    /^(is|are|was|were|does|do|did|can|has|have)( there)?\s+/i,
    "",
  );
  if (/^no\b/i.test(answer!)) return `no ${rest}`;
  return yesOrNo(answer!) ? rest : `${rest} ${answer}`;
}

/**
 * Rows that others wrote, with what all rows of the image say in place of a caption; and the same row with the answer that
 * the same question has about another image, where no row of this one says so.
 */
async function fromRows(
  records: readonly CorpusRecord[],
  source: "SLAKE" | "VQA-RAD",
  tuning: (r: CorpusRecord) => boolean,
  signal?: AbortSignal,
): Promise<Asked[]> {
  const rows = records.filter((r) => r.question !== null && r.answer !== null);
  const captions = new Map(
    [...Map.groupBy(rows, (r) => r.imageId)].map((
      [id, own],
    ) => [id, `Caption: ${own.map(statement).join(". ")}`]),
  );
  const asked = Map.groupBy(rows, (r) => r.question!.toLowerCase());
  const pairs: Asked[] = [];
  for (const record of rows) {
    await checkpoint(signal);
    const question = record.question!, answer = record.answer!, known = captions.get(record.imageId)!;
    const pair = { record, question, answer, known, source, tuning: tuning(record) };
    const other = asked.get(question.toLowerCase())!.find((one) =>
      one.answer!.toLowerCase() !== answer.toLowerCase() &&
      !known.toLowerCase().includes(one.answer!.toLowerCase())
    );
    const closed = yesOrNo(answer), wrong = closed ? (closed === "yes" ? "No" : "Yes") : other?.answer;
    pairs.push({ ...pair, sound: true }, ...(wrong ? [{ ...pair, answer: wrong, sound: false }] : []));
  }
  return pairs;
}

/**
 * Labelled pairs about real images: written by hand about captions of ROCO v1, made from those by script, and the rows of
 * SLAKE (English) and of VQA-RAD with wrong answers made by script. Held out: captions with an odd number, SLAKE's test
 * split, VQA-RAD's images with an odd number.
 *
 * @param dir with roco-captions, slake-json and vqa-rad-train
 * @throws where a file lacks or a label is none; the reason of `signal`
 */
export async function labelledPairs(
  dir: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<LabelledPair[]> {
  const hand = await byHand(join(dir, "roco-captions"));
  const slake = await loadSlake(join(dir, "slake-json"), { requireImages: false, signal });
  const vqaRad = await loadVqaRad(join(dir, "vqa-rad-train"), { signal });
  const number = ({ imageId }: CorpusRecord) => Number(/\d+/.exec(imageId.split("/").at(-1)!)?.[0] ?? 0);
  return [
    ...hand,
    ...derived(hand.filter(({ sound }) => sound), "derived from those"),
    ...await fromRows(slake.records, "SLAKE", ({ split }) => split !== "test", signal),
    ...await fromRows(vqaRad.records, "VQA-RAD", (record) => number(record) % 2 === 0, signal),
  ].map(labelled);
}

/** How each rule, and all of them, do on the held-out pairs of a source; shares in percent with their intervals. */
export async function heldOutQuality(
  dir: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Record<string, string | number>[]> {
  const held = (await labelledPairs(dir, { signal })).filter(({ tuning }) => !tuning);
  const text = (share: Interval | null) =>
    share ? `${percent(share.estimate)} [${percent(share.low)}, ${percent(share.high)}]` : "–";
  const rows: Record<string, string | number>[] = [];
  for (const [source, own] of Map.groupBy(held, ({ source }) => source)) {
    for (const row of await filterQuality(own, { signal })) {
      if (row.soundDropped + row.unsoundDropped === 0) continue;
      rows.push({
        pairs: source,
        rule: row.filter,
        "sound dropped": `${row.soundDropped} of ${row.sound}`,
        "unsound dropped": `${row.unsoundDropped} of ${row.unsound}`,
        "recall, %": text(row.recall),
        "precision, %": text(row.precision),
      });
    }
  }
  return rows;
}

/** How a rule, or all of them in turn, did on labelled pairs; shares with Wilson's 95% intervals, null of nothing. */
export interface FilterQuality {
  /** Name of the filter. */
  filter: string;
  /** Sound pairs. */
  sound: number;
  /** Pairs that are not. */
  unsound: number;
  /** Of the sound, and of the unsound, dropped. */
  soundDropped: number;
  /** See `soundDropped`. */
  unsoundDropped: number;
  /** Sound pairs that are kept. */
  recall: Interval | null;
  /** Kept pairs that are sound. */
  precision: Interval | null;
}

/**
 * Judges labelled pairs by each rule alone, then by all together ("all rules").
 * @throws the reason of `signal`, which is looked at between two pairs
 */
export async function filterQuality(
  pairs: readonly LabelledPair[],
  { rules = FILTERS, signal }: { rules?: readonly PairFilter[]; signal?: AbortSignal } = {},
): Promise<FilterQuality[]> {
  const count = async (filter: string, drops: (candidate: Candidate) => boolean): Promise<FilterQuality> => {
    const dropped: LabelledPair[] = [];
    for (const pair of pairs) {
      await checkpoint(signal);
      if (drops(pair.candidate)) dropped.push(pair);
    }
    const sound = pairs.filter((pair) => pair.sound).length, unsound = pairs.length - sound;
    const soundDropped = dropped.filter((pair) => pair.sound).length,
      unsoundDropped = dropped.length - soundDropped;
    const kept = pairs.length - dropped.length, right = sound - soundDropped;
    const share = (part: number, of: number) => of > 0 ? wilsonInterval(part, of) : null;
    return {
      filter,
      sound,
      unsound,
      soundDropped,
      unsoundDropped,
      recall: share(right, sound),
      precision: share(right, kept),
    };
  };
  const qualities: FilterQuality[] = [];
  for (const rule of rules) {
    qualities.push(await count(rule.name, (candidate) => rule.reason(candidate) !== null));
  }
  const any = (candidate: Candidate) => rules.some((rule) => rule.reason(candidate) !== null);
  return [...qualities, await count("all rules", any)];
}
