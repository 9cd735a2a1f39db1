import { basename, dirname, extname, join, relative, resolve } from "@std/path";
import { z } from "zod";
import { paths } from "../config/mod.ts";
import { cleanText, isYesNo } from "./clean.ts";
import { readCsv } from "./csv.ts";
import { insideFolder, licenceOf, parseRow, readJsonLines, splitNamed } from "./files.ts";
import {
  cacheImage,
  newImageCheck,
  openImageCache,
  requireAllImages,
  UNKNOWN_FORMAT,
  wantImage,
} from "./images.ts";
import { imageCell, parquetRows } from "./parquet.ts";
import {
  type Corpus,
  type CorpusRecord,
  countRead,
  countRepair,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  type LoadOptions,
  newTally,
  refuseTwice,
  type Split,
  type Tally,
} from "./record.ts";

const REQUIRED = ["image", "question", "answer"], OPTIONAL = ["choices", "split", "id", "case"];
const text = z.union([z.string(), z.number(), z.bigint()]).nullish();
const Row = z.looseObject({
  image: z.unknown(),
  question: text,
  answer: text,
  choices: z.union([z.string(), z.array(z.union([z.string(), z.number()]))]).nullish(),
  split: z.string().nullish(),
  id: text,
  case: text,
});
const List = z.array(z.union([z.string(), z.number()]));

/**
 * Your own questions: CSV with a header, JSON lines, or Parquet (of pandas, polars or the hub) with the columns image,
 * question, answer and, where you have them, choices (a list; in CSV a JSON list or "a|b|c"), split (train, validation or
 * test), id, and case (the patient: what a split must keep together).
 *
 * `path` is such a file or a folder of them. Images are named relative to the file (PNG, JPEG, GIF, WebP, TIFF, DICOM), or
 * lie encoded in the Parquet column. Without a split column the file's name decides ("valid.csv"), else all is train.
 * With choices the answer is one of them or its letter. licence.txt beside the files says what may be done with them.
 * @throws naming file and row
 */
export async function loadOwn(
  path: string,
  { requireImages = true, signal, imageCache = join(paths.local, "own_images") }: LoadOptions & {
    imageCache?: string;
  } = {},
): Promise<Corpus> {
  const tally = newTally(signal), images = newImageCheck(signal), files = await tables(path);
  const root = dirname(files[0]), licence = await licenceOf(root, "your own");
  for (const file of files) {
    const cache = ending(file) === ".parquet" ? await openImageCache(imageCache) : null;
    let k = 0;
    for await (const value of rowsOf(file, signal)) {
      const where = `${file}, row ${++k}`;
      await countRead(tally);
      const row = parseRow(Row, value, where), words = wordsOf(row, tally);
      const cell = cache && imageCell(row.image);
      const stored = cache && cell && await cacheImage(cache, cell.bytes);
      const named = typeof row.image === "string" ? row.image : "";
      const reason = words.reason ?? (!cell && !named ? "no image" : cell && !stored ? UNKNOWN_FORMAT : null);
      if (reason !== null) {
        drop(tally, reason, where);
        continue;
      }
      const imagePath = stored ? stored.path : insideFolder(root, named, where);
      const name = stored ? stored.sha256.slice(0, 16) : relative(resolve(root), imagePath);
      const split = splitOf(row.split, file, where);
      const sourceId = given(row.id) ?? `${basename(file)}_${k}`;
      refuseTwice(tally, "id", sourceId, where);
      if (!stored) wantImage(images, imagePath, where);
      const caseName = given(row.case);
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `own/${split}/${sourceId}`,
        dataset: "own",
        split,
        sourceId,
        imagePath,
        imageId: `own/${name}`,
        imageSha256: stored ? stored.sha256 : null,
        caseId: caseName && `own/${caseName}`,
        ...words.said,
        licence,
      }, where);
    }
  }
  if (requireImages) await requireAllImages(images, `Put it beside the table, under the name the row gives.`);
  return finishCorpus("own", root, tally);
}

/** The split a row names, else the one that begins the file's name ("valid-2.csv"), else train. */
function splitOf(named: string | null | undefined, file: string, where: string): Split {
  if (!named) return splitNamed(basename(file).split(/[^A-Za-z]/)[0]) ?? "train";
  const split = splitNamed(named);
  if (!split) throw new Error(`${where}: expected the split train, validation or test, found "${named}".`);
  return split;
}

const ending = (file: string): string => extname(file).toLowerCase();

/** The file, or the tables in the folder. @throws when there is none */
async function tables(path: string): Promise<string[]> {
  const known = (name: string) => [".csv", ".jsonl", ".parquet"].includes(ending(name));
  const about = await Deno.stat(path).catch(() => null);
  if (about?.isFile && known(path)) return [path];
  const entries = about?.isDirectory ? await Array.fromAsync(Deno.readDir(path)) : [];
  const names = entries.filter((entry) => !entry.isDirectory && known(entry.name)).map(({ name }) => name);
  if (names.length === 0) {
    throw new Error(
      `Expected ${path} to be a .csv, .jsonl or .parquet file, or a folder of them; ` +
        `${about === null ? "it is missing" : "it is not"}. Its columns are image, question, answer.`,
    );
  }
  return names.sort().map((name) => join(path, name));
}

async function* rowsOf(file: string, signal?: AbortSignal): AsyncGenerator<unknown> {
  if (ending(file) === ".csv") yield* await readCsv(file, REQUIRED, OPTIONAL, signal);
  else if (ending(file) === ".jsonl") yield* await readJsonLines(file);
  else yield* parquetRows(file, REQUIRED, OPTIONAL);
}

/** A value as text; null where there is none. */
function given(value: string | number | bigint | null | undefined): string | null {
  const text = String(value ?? "").trim();
  return text === "" ? null : text;
}

type Said = Pick<CorpusRecord, "question" | "answer" | "choices" | "answerType">;

/** What a row asks and answers, or the reason why it is dropped. */
function wordsOf(
  row: z.infer<typeof Row>,
  tally: Tally,
): { said: Said; reason: null } | { said: null; reason: string } {
  if (typeof row.answer === "number" || typeof row.answer === "bigint") {
    countRepair(tally, "number made a text");
  }
  const question = cleanText(String(row.question ?? ""), tally);
  const answer = cleanText(String(row.answer ?? ""), tally);
  const options = choicesOf(row.choices).map((choice) => cleanText(String(choice), tally));
  const refuse = (reason: string) => ({ said: null, reason });
  if (question === "") return refuse("empty question");
  if (answer === "") return refuse("empty answer");
  if (options.length === 0) {
    return {
      said: { question, answer, choices: null, answerType: isYesNo(answer) ? "closed" : "open" },
      reason: null,
    };
  }
  if (options.length < 2 || options.includes("")) return refuse("an empty option, or a single one");
  const byText = options.findIndex((option) => option.toLowerCase() === answer.toLowerCase());
  const byLetter = answer.length === 1 ? answer.toUpperCase().charCodeAt(0) - "A".charCodeAt(0) : -1;
  const right = options[byText >= 0 ? byText : byLetter];
  if (right === undefined) return refuse("the answer is none of the options");
  return { said: { question, answer: right, choices: options, answerType: "closed" }, reason: null };
}

/** A list as it is, as JSON, or as "a|b|c". */
function choicesOf(value: z.infer<typeof Row>["choices"]): (string | number)[] {
  if (typeof value !== "string") return value ?? [];
  if (value.trim() === "") return [];
  try {
    const list = List.safeParse(JSON.parse(value));
    if (list.success) return list.data;
  } catch { /* no JSON */ }
  return value.split("|");
}
