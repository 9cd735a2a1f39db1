import { z } from "zod";
import { isChinese, yesOrNo } from "../stats/mod.ts";
import { cleanText } from "./clean.ts";
import { type CorpusRecord, countRepair, type Tally } from "./record.ts";

/** What a column is read as. */
export type OwnColumn = "image" | "question" | "answer" | "choices" | "split" | "language" | "id" | "case";

/** Names that a column may have, besides the first. Upper case, spaces and hyphens make no difference. */
const NAMES: Readonly<Record<OwnColumn, readonly string[]>> = {
  image: ["image_path", "image_file", "image_name", "img", "img_path", "img_name", "file_name", "filename"],
  question: ["q", "prompt"],
  answer: ["a", "answers"],
  choices: ["options"],
  split: ["subset"],
  language: ["lang", "q_lang"],
  id: ["qid", "question_id"],
  case: ["case_id", "patient", "patient_id"],
};

/** All of them, the three first that every table needs. */
export const OWN_COLUMNS = Object.keys(NAMES) as OwnColumn[];
const REQUIRED: readonly OwnColumn[] = ["image", "question", "answer"];

const plain = (name: string): string => name.toLowerCase().replace(/[\s-]+/g, "_");

/**
 * Which column is what: as `named`, else by name.
 * @returns null for a table that lacks most of what must be there: it is about something else
 * @throws when a column that must be there or was named is not, or one that is read is there twice
 */
export function columnsOf(
  { file, columns }: { file: string; columns: readonly string[] },
  named: Partial<Record<OwnColumn, string>>,
): Partial<Record<OwnColumn, string>> | null {
  const found: Partial<Record<OwnColumn, string>> = {}, lacking: string[] = [];
  for (const role of OWN_COLUMNS) {
    const names = [role, ...NAMES[role]];
    const name = named[role] ??
      names.flatMap((one) => columns.find((column) => plain(column) === one) ?? [])[0];
    if (name === undefined && !REQUIRED.includes(role)) continue;
    if (name === undefined || !columns.includes(name)) {
      const list = columns.slice(0, 20).join(", ") || "none";
      lacking.push(
        `expected a column "${name ?? role}", found ${list}; say which one it is: --${role} COLUMN`,
      );
      continue;
    }
    const same = columns.filter((column) => column === name).length;
    if (same > 1) {
      throw new Error(
        `${file}: expected every column once, found "${name}" ${same} times: rename all but one.`,
      );
    }
    found[role] = name;
  }
  if (REQUIRED.filter((role) => found[role] === undefined).length > 1) return null;
  if (lacking.length > 0) throw new Error(`${file}: ${lacking[0]}.`);
  return found;
}

/** What tables write where there is nothing. */
const NOTHING = new Set(["", "nan", "NaN", "NAN", "None", "null", "NULL", "<NA>", "N/A", "#N/A"]);

/** A value as text, as it stands; null where there is none. Numbers keep their digits. */
function rawOf(value: unknown): string | null {
  if (value === null || value === undefined || typeof value === "object") return null;
  return NOTHING.has(String(value).trim()) ? null : String(value);
}

/** As rawOf, without outer white space. */
export const textOf = (value: unknown): string | null => rawOf(value)?.trim() ?? null;

/** A list as it is, as JSON, as Python or numpy print it ("['CT', 'MR']", "['CT' 'MR']"), or as "a|b|c". */
function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map((item) => String(item ?? ""));
  if (typeof value === "object" && value !== null) {
    return Object.values(value).map((item) => String(item ?? ""));
  }
  const text = textOf(value);
  if (text === null) return [];
  const inner = /^(?:array)?\(?\s*[[({](.*?)[\])}]\s*(?:,\s*dtype=\w+\s*)?\)?$/s.exec(text)?.[1];
  if (inner === undefined) return text.split("|");
  try {
    return listOf(JSON.parse(text));
  } catch { // Python's
  }
  const items = /'((?:[^'\\]|\\.)*)'\s*:?|"((?:[^"\\]|\\.)*)"\s*:?|([^\s,'"][^,]*)/gs;
  return [...inner.matchAll(items)].filter(([whole]) => !whole.endsWith(":"))
    .map(([, single, double, bare]) => (single ?? double)?.replace(/\\(.)/gs, "$1") ?? bare.trim());
}

/** What a row asks and answers. */
export type Said = Pick<CorpusRecord, "question" | "answer" | "choices" | "answerType" | "language">;

const CHINESE = ["zh", "cn", "chinese", "zh_cn", "中文"], ENGLISH = ["en", "english", "en_us", "en_gb"];

/** Letters that options can have in a prompt (lib/text questionPrefix). */
const MAX_CHOICES = 26;

/** What a row says, or the reason why it is dropped. */
export function saidBy(
  row: { question: unknown; answer: unknown; choices: unknown; language: unknown },
  tally: Tally,
): Said | { reason: string } {
  const question = cleanText(rawOf(row.question) ?? "", tally);
  const choices = listOf(row.choices).map((choice) => cleanText(choice, tally));
  if (question === "") return { reason: "empty question" };
  const answers = answersOf(row.answer, choices, tally);
  if (answers.length === 0) return { reason: "empty answer" };
  const said = textOf(row.language), code = said && plain(said);
  if (code && !CHINESE.includes(code) && !ENGLISH.includes(code)) {
    return { reason: `in a language that is neither English nor Chinese (${said.slice(0, 20)})` };
  }
  const language = (code ? CHINESE.includes(code) : isChinese(question)) ? "zh" : "en";
  if (choices.length === 0) {
    const answer = answers.join(", ");
    return { question, answer, choices: null, answerType: yesOrNo(answer) ? "closed" : "open", language };
  }
  if (choices.length < 2 || choices.includes("")) return { reason: "an empty option, or a single one" };
  if (choices.length > MAX_CHOICES) {
    return { reason: `more than ${MAX_CHOICES} options, which have no letters` };
  }
  if (answers.length > 1) return { reason: "several answers to one choice" };
  const byText = choices.findIndex((choice) => choice.toLowerCase() === answers[0].toLowerCase());
  const letter = /^\(?([A-Za-z])[).:]?$/.exec(answers[0])?.[1].toUpperCase();
  const answer = choices[byText >= 0 ? byText : letter ? letter.charCodeAt(0) - "A".charCodeAt(0) : -1];
  if (answer === undefined) return { reason: "the answer is none of the options" };
  return { question, answer, choices, answerType: "closed", language };
}

/** The different answers of a cell: one, none, or the items of a list. True and false are yes and no, unless options say them. */
function answersOf(cell: unknown, choices: readonly string[], tally: Tally): string[] {
  const isList = Array.isArray(cell) || (typeof cell === "string" && /^\[.*\]$/s.test(cell.trim()));
  const texts = (isList ? listOf(cell) : [cell]).flatMap((value) => {
    const text = choices.includes(String(value)) ? String(value) : rawOf(value);
    if (text === null) return [];
    if (typeof value === "number" || typeof value === "bigint") countRepair(tally, "number made a text");
    if (
      !/^\s*(true|false)\s*$/i.test(text) ||
      choices.some((choice) => choice.toLowerCase() === text.toLowerCase())
    ) {
      return cleanText(text, tally) || [];
    }
    countRepair(tally, "true or false made yes or no");
    return /true/i.test(text) ? "yes" : "no";
  });
  if (isList) countRepair(tally, "list made a text");
  return [...new Set(texts)];
}

/** Columns as a registered set names them. */
export const OwnColumns = z.partialRecord(z.enum(OWN_COLUMNS), z.string().min(1));
