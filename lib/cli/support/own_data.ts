import { relative, resolve } from "@std/path";
import {
  inspectImages,
  loadOwn,
  OWN_COLUMNS,
  type OwnColumn,
  type OwnCorpus,
  ownSetNames,
  readOwnSet,
  reasonCounts,
  rowAccounts,
  SPLITS,
  UNDECODABLE,
  writeOwnSet,
} from "../../corpus/mod.ts";
import { visible } from "../../jupyter/mod.ts";

/** Rows that are shown, and images that cannot be decoded. */
const SHOWN = 3, NAMED = 20;

/** Images, by their bytes, and cases of which records are in several splits. */
function inSeveralSplits(records: OwnCorpus["records"]): number {
  const same = (["imageSha256", "caseId"] as const).flatMap((
    key,
  ) => [...Map.groupBy(records.filter((record) => record[key] !== null), (record) => record[key]).values()]);
  return same.filter((own) => new Set(own.map(({ split }) => split)).size > 1).length;
}

/** What was understood of a set, and what was dropped: what a person should read before anything is trained on it. */
export function describeOwn(corpus: OwnCorpus): string {
  const { records, root, tables, skipped } = corpus, [account] = rowAccounts([corpus]);
  const count = (keep: (record: OwnCorpus["records"][number]) => boolean) => records.filter(keep).length;
  const place = (file: string) => relative(root, file);
  const rows = records.slice(0, SHOWN).flatMap((r) => [
    `  ${r.split}, ${r.language}, ${
      place(r.imagePath).startsWith("..") ? "picture in the table" : place(r.imagePath)
    }`,
    `    ${r.question}${r.choices ? ` [${r.choices.join(" | ")}]` : ""} -> ${r.answer}`,
  ]);
  const reasons = reasonCounts([corpus]).map(({ what, reason, count, first }) =>
    `  ${what} ${count}: ${reason}${first ? ` (first: ${first})` : ""}`
  );
  const faults = new Set(
    corpus.dropped.flatMap(({ reason, where }) =>
      reason === UNDECODABLE ? `  ${where.replace(/^[^:]*: /, "").replace(`${root}/`, "")}` : []
    ),
  );
  const named = [...faults].slice(0, NAMED), more = faults.size - named.length;
  const lines = [
    "First rows",
    ...rows,
    "Understood",
    ...tables.map(({ file, format, rows, columns }) =>
      `  ${place(file)}: ${format}; ${rows} rows; ` +
      Object.entries(columns).map(([role, name]) => role === name ? role : `${role} is "${name}"`).join(", ")
    ),
    ...skipped.map(({ file, columns }) =>
      `  ${place(file)} is not used: its columns are ${columns.join(", ")}`
    ),
    `  splits: ${SPLITS.map((split) => `${split} ${count((r) => r.split === split)}`).join(", ")}`,
    `  kinds: ${count((r) => r.choices !== null)} with options, ${
      count((r) => r.choices === null && r.answerType === "closed")
    } yes or no, ${count((r) => r.answerType === "open")} open; ${
      count((r) => r.language === "zh")
    } in Chinese`,
    `  images: ${new Set(records.map((r) => r.imageId)).size}; licence: ${records[0].licence}`,
    `Rows: ${account.rows} read, ${account.dropped} dropped, ${account.kept} kept`,
    ...reasons,
    ...(named.length > 0 ? [`Images that cannot be decoded: ${faults.size}`, ...named] : []),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
  return lines.map((line) => visible(line)).join("\n");
}

/**
 * Reads a set and every image of it, shows what came of it and registers it.
 * @throws when no row can be used; then nothing is registered
 */
export async function addOwn(
  name: string,
  path: string,
  options: Partial<Record<OwnColumn, string>> & { resplit: boolean },
  local: string,
): Promise<void> {
  const columns = Object.fromEntries(
    OWN_COLUMNS.flatMap((role) => options[role] === undefined ? [] : [[role, options[role]]]),
  );
  const set = { path: resolve(path), columns, resplit: options.resplit };
  const corpus = await inspectImages(await loadOwn(name, set, { imageCache: `${local}/own_images` }));
  if (corpus.records.length === 0) {
    const { where } = corpus.dropped.at(-1)!;
    throw new Error(`${path}: expected images that can be decoded, found none; ${where}`);
  }
  await writeOwnSet(name, set, local);
  console.log(describeOwn(corpus));
  const shared = inSeveralSplits(corpus.records);
  if (shared > 0) {
    const remedy = options.resplit ? "remove copies of files" : "add --resplit";
    console.log(`${shared} images or cases are in several splits, which notebook 01 refuses: ${remedy}.`);
  }
  const test = corpus.records.some(({ split }) => split === "test");
  if (!test) console.log("There are no test rows: add --resplit for 80 : 10 : 10 by image and case.");
  console.log(
    `Registered as ${name}. To train on it and ask about it: ./lab demo --set 'corpora.own=["${name}"]'`,
  );
}

/** One line a registered set. */
export async function listOwn(local: string): Promise<string[]> {
  const names = await ownSetNames(local);
  return await Promise.all(
    names.map(async (name) => visible(`${name}  your own  ${(await readOwnSet(name, local)).path}`)),
  );
}
