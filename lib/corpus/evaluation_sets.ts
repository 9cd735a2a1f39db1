import { join } from "@std/path";
import { z } from "zod";
import {
  canonicalJson,
  type Config,
  limited,
  makeFolder,
  paths,
  sha256,
  writeFileAtomic,
} from "../config/mod.ts";
import { isThere, readJson } from "./files.ts";
import { type CorpusRecord, SPLITS } from "./record.ts";
import { orderBySeed } from "./splits.ts";

const Part = z.strictObject({
  name: z.string(),
  datasets: z.array(z.string()).min(1),
  split: z.enum(SPLITS),
  language: z.enum(["en", "zh"]).default("en"),
  answerType: z.enum(["closed", "open"]).optional(),
  /** Pattern of the record's id: tells the files of one split apart. */
  id: z.string().optional(),
  /** Pattern of the region (MedPix: Location), whatever its case. */
  region: z.string().optional(),
  /** At most so many, chosen by the seed; null: all. */
  count: z.number().int().positive().nullable(),
});
type Part = z.infer<typeof Part>;

/** A file of data/evaluation: the ids of a set, or the recipe that finds them. */
const EvaluationSet = z.strictObject({
  name: z.string().regex(/^[a-z0-9_]+$/),
  title: z.string(),
  /** Where the paper uses it. */
  paper: z.string(),
  /** What is known of the paper's own list. */
  paperList: z.string(),
  source: z.string(),
  licence: z.string(),
  /** Items that the whole set has: exactly so many, or at most where parts have a count. */
  items: z.number().int().positive(),
  seed: z.number().int().nonnegative(),
  parts: z.array(Part).min(1),
  /** Ids of records; null where the data set was not at hand when the set was written down. */
  ids: z.array(z.string()).nullable(),
  /** Of the ids, one a line; null without ids. */
  sha256: z.string().nullable(),
});
/** A file of data/evaluation: which items a system is measured on, as ids or as the recipe that finds them. */
export type EvaluationSet = z.infer<typeof EvaluationSet>;

const Frozen = z.strictObject({
  name: z.string(),
  sha256: z.string(),
  contents: z.string(),
  ids: z.array(z.string()),
});

/** A set's items among the loaded records. */
export interface ResolvedSet {
  /** Name of the file, without its ending. */
  name: string;
  /** What people call the set. */
  title: string;
  /** What is known of the paper's own list. */
  paperList: string;
  /** Ids of its records. */
  ids: string[];
  /** Committed ids whose rows a loader dropped as unusable. */
  missing: string[];
  /** Items that the whole set has. */
  of: number;
  /** Of the ids. */
  sha256: string;
  /** Of ids, questions, answers, options and captions: the same only if what is asked is the same. */
  contents: string;
  /** Where the list comes from. "chosen now" is never kept: phantoms are drawn anew, a limited run is a trial. */
  list: "committed" | "frozen earlier" | "frozen now" | "chosen now";
}

/** A committed set may lack this share of its items, since a loader drops rows that are broken in the published file. */
const LOST = 0.01;

/** SHA-256 of a list of ids, one a line. */
export const listHash = (ids: readonly string[]): string => sha256(ids.map((id) => `${id}\n`).join(""));

/**
 * The evaluation sets of data/evaluation, by name.
 * @throws naming the file when it is not as expected or its hash is not that of its ids
 */
export async function evaluationSets(folder = join(paths.data, "evaluation")): Promise<EvaluationSet[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".json")) names.push(name);
  return await Promise.all(
    names.sort().map(async (file) => {
      const path = join(folder, file), parsed = EvaluationSet.safeParse(await readJson(path));
      if (!parsed.success) {
        const { path: key, message } = parsed.error.issues[0];
        throw new Error(`${path}: expected an evaluation set, found at "${key.join(".")}": ${message}.`);
      }
      const set = parsed.data, hash = set.ids && listHash(set.ids);
      if (hash !== set.sha256 || `${set.name}.json` !== file) {
        throw new Error(
          `${path}: expected the name of the file and the hash of its ids (${hash}), found "${set.name}" and ` +
            `${set.sha256}. Restore the committed file.`,
        );
      }
      return set;
    }),
  );
}

/** The ids that the recipe finds: part after part, each in the order of the seed. */
export function chooseItems(
  { parts, seed }: Pick<EvaluationSet, "parts" | "seed">,
  records: readonly CorpusRecord[],
): string[] {
  return [
    ...new Set(parts.flatMap((part) => {
      const ids = records.filter((record) => belongs(record, part)).map(({ id }) => id);
      return part.count === null ? ids : orderBySeed(ids, seed).slice(0, part.count);
    })),
  ];
}

function belongs(record: CorpusRecord, part: Part): boolean {
  return part.datasets.includes(record.dataset) && record.split === part.split &&
    record.language === part.language &&
    (part.answerType === undefined || record.answerType === part.answerType) &&
    (part.id === undefined || new RegExp(part.id).test(record.id)) &&
    (part.region === undefined || new RegExp(part.region, "i").test(record.region ?? ""));
}

/**
 * The set's items among the records.
 *
 * Real data, whole: the committed ids; where there are none the recipe's, which the first call writes to
 * data/local/evaluation/NAME.json. Every later call has to find the same ids with the same contents. Phantoms and
 * limited runs: the recipe's, at most `config.limit`, never kept.
 *
 * @throws if a committed set lacks more than 1% of its items, if the recipe finds none, or if ids or contents differ from the frozen ones
 */
export async function resolveEvaluationSet(
  set: EvaluationSet,
  records: readonly CorpusRecord[],
  config: Config,
): Promise<ResolvedSet> {
  const byId = new Map(records.map((record) => [record.id, record]));
  const isKept = config.corpora.source === "real" && config.limit === null;
  const found = chooseItems(set, records);
  const wanted = isKept && set.ids ? set.ids : found.slice(0, limited(found.length, config));
  const ids = wanted.filter((id) => byId.has(id)), missing = wanted.filter((id) => !byId.has(id));
  if (ids.length === 0 || missing.length > LOST * wanted.length) {
    throw new Error(
      `Evaluation set ${set.name}: expected ${set.items} items of ${set.source}, found ${ids.length}` +
        `${
          missing.length > 0 ? ` (missing: ${missing.slice(0, 3).join(", ")})` : ""
        }. Load the split and file that ` +
        `data/evaluation/${set.name}.json names.`,
    );
  }
  const contents = sha256(canonicalJson(ids.map((id) => {
    const { question, answer, choices, caption } = byId.get(id)!;
    return { id, question, answer, choices, caption };
  })));
  const { name, title, paperList, items: of } = set;
  const resolved = { name, title, paperList, ids, missing, of, sha256: listHash(ids), contents };
  if (!isKept) return { ...resolved, list: "chosen now" };
  const isNew = await freeze(resolved);
  return { ...resolved, list: set.ids ? "committed" : isNew ? "frozen now" : "frozen earlier" };
}

/**
 * All evaluation sets of data/evaluation among the records, and the names of those of which a phantom or limited run has
 * no item. On whole real data every set must be there.
 *
 * @throws as resolveEvaluationSet
 */
export async function resolveEvaluationSets(
  records: readonly CorpusRecord[],
  config: Config,
): Promise<{ resolved: ResolvedSet[]; absent: string[] }> {
  const whole = config.corpora.source === "real" && config.limit === null;
  const resolved: ResolvedSet[] = [], absent: string[] = [];
  for (const set of await evaluationSets()) {
    if (!whole && chooseItems(set, records).length === 0) absent.push(set.name);
    else resolved.push(await resolveEvaluationSet(set, records, config));
  }
  return { resolved, absent };
}

/**
 * Ids of the records of the evaluation set with this name: of whole real data as resolveEvaluationSet finds them, else all
 * that the recipe finds, which may be none.
 *
 * @throws as resolveEvaluationSet; if data/evaluation has no such set
 */
export async function evaluationSetIds(
  name: string,
  records: readonly CorpusRecord[],
  config: Config,
): Promise<Set<string>> {
  const set = (await evaluationSets()).find((each) => each.name === name);
  if (!set) throw new Error(`data/evaluation: expected the set ${name}, found no ${name}.json.`);
  const whole = config.corpora.source === "real" && config.limit === null;
  return new Set(
    whole ? (await resolveEvaluationSet(set, records, config)).ids : chooseItems(set, records),
  );
}

/** Writes what was resolved, or compares it with what was written. Returns whether it was written. */
async function freeze(
  { name, ids, sha256, contents }: Pick<ResolvedSet, "name" | "ids" | "sha256" | "contents">,
): Promise<boolean> {
  const folder = join(paths.local, "evaluation"), path = join(folder, `${name}.json`);
  if (!(await isThere(path))) {
    await makeFolder(folder);
    await writeFileAtomic(path, JSON.stringify({ name, sha256, contents, ids }, null, 1) + "\n");
    return true;
  }
  const parsed = Frozen.safeParse(await readJson(path));
  if (!parsed.success) {
    throw new Error(`${path}: expected a frozen evaluation set; delete the file to freeze it anew.`);
  }
  const earlier = parsed.data;
  if (earlier.sha256 === sha256 && earlier.contents === contents) return false;
  const [now, then] = [new Set(ids), new Set(earlier.ids)];
  const added = ids.filter((id) => !then.has(id)), gone = earlier.ids.filter((id) => !now.has(id));
  const difference = added.length + gone.length > 0
    ? `${added.length} new (${added.slice(0, 2).join(", ")}) and ${gone.length} gone (${
      gone.slice(0, 2).join(", ")
    })`
    : earlier.sha256 === sha256
    ? "the same ids with other questions, answers or captions"
    : "the same ids in another order";
  throw new Error(
    `Evaluation set ${name}: expected what was frozen in ${path}, found ${difference}. Restore the data set's files; ` +
      "or delete that file, and numbers measured before can no longer be compared.",
  );
}
