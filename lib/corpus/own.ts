import { basename, dirname, join, relative, resolve } from "@std/path";
import { paths } from "../config/mod.ts";
import { licenceOf, splitNamed } from "./files.ts";
import { cacheImage, openImageCache, UNKNOWN_FORMAT } from "./images.ts";
import { openTable, type OwnTable, splitOfPath, tableFiles } from "./own_tables.ts";
import { columnsOf, type OwnColumn, saidBy, textOf } from "./own_values.ts";
import { imageCell } from "./parquet.ts";
import {
  type Corpus,
  countRead,
  countRepair,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  newTally,
  type Split,
} from "./record.ts";
import { splitByGroup } from "./splits.ts";
import { reasonCounts } from "./accounting.ts";

/** Where questions of somebody's own lie, and how they are read. */
export interface OwnSource {
  /** A table, or a folder with tables. */
  path: string;
  /** Columns that are not called as loadOwn expects. */
  columns?: Partial<Record<OwnColumn, string>>;
  /** Split anew, 80 : 10 : 10 by image and case. */
  resplit?: boolean;
}

/** A loaded set and what its tables were taken for. */
export interface OwnCorpus extends Corpus {
  /** Tables that were read, with the columns as they were understood. */
  tables: { file: string; format: string; rows: number; columns: Partial<Record<OwnColumn, string>> }[];
  /** Tables about something else, which are not used. */
  skipped: { file: string; columns: string[] }[];
}

/**
 * Your own questions: CSV, TSV, JSON, JSON lines or Parquet with the columns image, question and answer and, where you
 * have them, choices (a list), split, language, id, and case (the patient: what a split must keep together).
 *
 * Images are named relative to the table or the folder, or lie encoded in the Parquet column. Nothing outside the folder
 * is read. Without a split column the name of file or folder decides, else all is train. With choices the answer is one
 * of them or its letter. licence.txt in the folder says what may be done with it.
 * @param name of the set, whose records have the data set `own_${name}`
 * @throws in one sentence, when a table cannot be read or no row can be used
 *
 * @example One question about one image
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadOwn } from "@lib/corpus/mod.ts";
 * import { encodePng } from "@lib/image/mod.ts";
 *
 * const path = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${path}/questions.csv`, "image,question,answer\na.png,Is there a nodule?,yes\n");
 * await Deno.writeFile(`${path}/a.png`, await encodePng({ width: 8, height: 8, data: new Uint8Array(192) }));
 * const { records, dropped } = await loadOwn("ward", { path });
 * assertEquals([records.length, records[0].dataset, records[0].answer, dropped.length], [1, "own_ward", "yes", 0]);
 * ```
 */
export async function loadOwn(
  name: string,
  { path, columns = {}, resplit = false }: OwnSource,
  { imageCache = join(paths.local, "own_images"), signal }: { imageCache?: string; signal?: AbortSignal } =
    {},
): Promise<OwnCorpus> {
  const files = await tableFiles(path), dataset = `own_${name}` as const, tally = newTally(signal);
  const root = files[0] === path ? dirname(path) : path, licence = await licenceOf(root, "your own");
  const cache = await openImageCache(imageCache), findImage = await imageFinder(root);
  const read: OwnCorpus["tables"] = [], skipped: OwnCorpus["skipped"] = [];
  for (const file of files) {
    const table: OwnTable = await openTable(file, signal), found = columnsOf(table, columns);
    if (found === null) {
      skipped.push({ file, columns: table.columns });
      continue;
    }
    const cell = (row: Record<string, unknown>, role: OwnColumn) => found[role] && row[found[role]];
    let k = 0;
    for await (const row of table.rows(Object.values(found))) {
      const where = `${file}, row ${++k}`;
      await countRead(tally);
      const said = saidBy({
        question: cell(row, "question"),
        answer: cell(row, "answer"),
        choices: cell(row, "choices"),
        language: cell(row, "language"),
      }, tally);
      if ("reason" in said) {
        drop(tally, said.reason, where);
        continue;
      }
      const image = cell(row, "image"), encoded = imageCell(image);
      const stored = encoded && await cacheImage(cache, encoded.bytes);
      const named = textOf((image as { path?: unknown } | null)?.path ?? image);
      const place = stored
        ? stored.path
        : encoded
        ? { reason: UNKNOWN_FORMAT }
        : named === null
        ? { reason: "no image" }
        : await findImage(named, dirname(file));
      if (typeof place !== "string") {
        drop(tally, place.reason, where);
        continue;
      }
      const split = splitOf(textOf(cell(row, "split")), relative(root, file), where);
      const given = textOf(cell(row, "id")), repeated = given !== null && tally.ids.has(given);
      if (repeated) countRepair(tally, "id that an earlier row has, replaced by file and row");
      const sourceId = given === null || repeated ? `${relative(root, file)}_${k}` : given;
      tally.ids.set(sourceId, where);
      const caseName = textOf(cell(row, "case"));
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `${dataset}/${split}/${sourceId}`,
        dataset,
        split,
        sourceId,
        imagePath: place,
        imageId: `${dataset}/${stored ? stored.sha256.slice(0, 16) : relative(root, place)}`,
        imageSha256: stored ? stored.sha256 : null,
        caseId: caseName && `${dataset}/${caseName}`,
        ...said,
        licence,
      }, where);
    }
    read.push({ file, format: table.format, rows: k, columns: found });
  }
  if (read.length === 0) {
    throw new Error(
      `${skipped[0].file}: expected the columns image, question and answer, found ${
        skipped[0].columns.slice(0, 20).join(", ") || "none"
      }; say which they are: --image COLUMN --question COLUMN --answer COLUMN.`,
    );
  }
  const corpus = finishCorpus(dataset, root, tally);
  if (corpus.records.length === 0) {
    const reasons = reasonCounts([corpus]).filter(({ what }) => what === "dropped")
      .map(({ reason, count, first }) => `${reason} (${count} rows, the first is ${first})`);
    throw new Error(`${path}: expected rows that can be used, found ${reasons.join("; ") || "none"}.`);
  }
  const records = resplit
    ? splitByGroup(corpus.records, { train: 80, validation: 10, test: 10 }, 0)
    : corpus.records;
  return { ...corpus, records, tables: read, skipped };
}

/** The split that a row names, else the one in the name of its file or folder, else train. */
function splitOf(named: string | null, file: string, where: string): Split {
  if (named === null) return splitOfPath(file) ?? "train";
  const split = splitNamed(named);
  if (split) return split;
  throw new Error(
    `${where}: expected the split train, validation or test, found ${JSON.stringify(named.slice(0, 60))}; ` +
      "rename it, or name another column with --split.",
  );
}

/** Finds the file that a row names, beside its table, in the folder `root` or, if only one has the name, anywhere in it. */
async function imageFinder(root: string) {
  const realRoot = await Deno.realPath(root), known = new Map<string, string | { reason: string }>();
  const inside = (path: string, folder: string) => path.startsWith(`${folder}/`);
  let byName: Map<string, string[]> | null = null;
  const find = async (named: string, folder: string): Promise<string | { reason: string }> => {
    if (/^[a-z][a-z\d+.-]*:\/\//i.test(named)) {
      return {
        reason: "the image is a web address, which is not fetched: save the pictures and name their files",
      };
    }
    const name = named.replaceAll("\\", "/");
    if (name.includes("\0") || name.split("/").some((part) => part.length > 255)) {
      return { reason: "no file can have the image's name" };
    }
    const places = [resolve(folder, name), resolve(root, name)];
    if (!places.some((place) => inside(place, resolve(root)) || inside(place, realRoot))) {
      return { reason: "the image lies outside the folder: copy it there" };
    }
    if (!name.startsWith("/")) {
      byName ??= await filesByName(root);
      const same = (byName.get(basename(name)) ?? []).filter((path) =>
        path.endsWith(`/${name.replace(/^(\.\/)+/, "")}`)
      );
      if (same.length === 1) places.push(same[0]);
    }
    for (const place of places) {
      if (!inside(place, resolve(root)) && !inside(place, realRoot)) continue;
      const real = await Deno.realPath(place).catch(() => null);
      if (real === null) continue;
      if (!inside(real, realRoot)) return { reason: "the image is a link out of the folder: copy it there" };
      const { isFile, size } = await Deno.stat(real);
      return !isFile
        ? { reason: "the image is a folder" }
        : size === 0
        ? { reason: "the image file is empty" }
        : place;
    }
    return { reason: "the image file is missing" };
  };
  return async (named: string, folder: string) => {
    const key = `${folder}\n${named}`, found = known.get(key) ?? await find(named, folder);
    known.set(key, found);
    return found;
  };
}

async function filesByName(
  folder: string,
  found = new Map<string, string[]>(),
): Promise<Map<string, string[]>> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = resolve(folder, name);
    if (isDirectory) await filesByName(path, found);
    else if (!name.startsWith(".")) found.set(name, [...(found.get(name) ?? []), path]);
  }
  return found;
}
