import { dirname, join } from "@std/path";
import { openInput } from "../artifacts/mod.ts";
import { type Config, loadConfig, makeFolder, paths, type Scale, writeFileAtomic } from "../config/mod.ts";
import { type Download, listed, parseDownload } from "../jupyter/mod.ts";
import { QaPair } from "./pair.ts";
import { type Decision, pairSha256, REVIEW_VERSION, ReviewFile } from "./review_file.ts";

/** Name of the review page in the run folder of notebook 02. */
export const REVIEW_PAGE = "review.html";
const REVIEW: Download<ReviewFile> = { what: "review", version: REVIEW_VERSION, schema: ReviewFile };

/** Where the decisions about a scale's pairs are stored. */
export function reviewPath(scale: Scale): string {
  return join(paths.local, "reviews", `${scale}.json`);
}

/** The stored decisions, by pair id; none without file. @throws if the file is damaged */
export async function readDecisions(scale: Scale): Promise<Map<string, Decision>> {
  let text: string;
  try {
    text = await Deno.readTextFile(reviewPath(scale));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
  return new Map(
    parseDownload(text, reviewPath(scale), REVIEW).decisions.map((decision) => [decision.id, decision]),
  );
}

/**
 * Stores the decisions of a review.json: they replace earlier ones about the same pairs, and hold from the next run of
 * notebook 02 on.
 *
 * @returns decisions in the file, by verdict
 * @throws if the file is not a review, is about another scale, or has decisions about unknown pairs, about pairs that read
 * differently now, or two about one pair; all are named in one error and nothing is stored
 */
export async function importReview(
  file: string,
  config: Config = loadConfig(),
): Promise<Record<Decision["verdict"], number>> {
  const review = parseDownload(await Deno.readTextFile(file), file, REVIEW);
  if (review.scale !== config.scale) {
    throw new Error(
      `${file}: expected a review at scale ${config.scale}, found one at scale ${review.scale}.`,
    );
  }
  await store(review.decisions, config, file);
  const counts = { accept: 0, reject: 0, edit: 0, undecided: 0 };
  for (const { verdict } of review.decisions) counts[verdict]++;
  return counts;
}

/**
 * Decides about one of the pairs of the current run of notebook 02, as a click on the review page does. The next run
 * honours it.
 *
 * @param edit question and answer as they are to be, for the verdict "edit"
 * @throws if there is no such pair
 *
 * @example A pair that a person rejects
 * ```ts ignore
 * import { decide } from "@lib/synthesis/mod.ts";
 * await decide("roco_v2/train/ROCOv2_2023_train_000001#teacher/0", "reject", "wrong side");
 * ```
 */
export async function decide(
  id: string,
  verdict: Decision["verdict"],
  reason?: string,
  edit: { question?: string; answer?: string } = {},
  config: Config = loadConfig(),
): Promise<Decision> {
  const pair = (await reviewedPairs(config)).get(id);
  if (!pair) {
    throw new Error(`decide: expected the id of a pair of the current run of notebook 02, found "${id}".`);
  }
  const { question = pair.question, answer = pair.answer } = edit;
  const decision: Decision = {
    id,
    pair: pairSha256(pair),
    verdict,
    ...(reason ? { reason } : {}),
    ...(verdict === "edit" ? { question, answer } : {}),
    time: new Date().toISOString(),
  };
  await store([decision], config, "decide");
  return decision;
}

/** All teacher pairs of the current run, kept and dropped, by id. */
async function reviewedPairs(config: Config): Promise<Map<string, QaPair>> {
  const input = await openInput("02_synthesis", config);
  const rows = await input.table("teacher_pairs", QaPair);
  return new Map(rows.map((pair) => [pair.id, pair]));
}

async function store(decisions: readonly Decision[], config: Config, source: string): Promise<void> {
  const pairs = await reviewedPairs(config);
  const named = Map.groupBy(decisions, ({ id }) => id);
  const unknown = [...named.keys()].filter((id) => !pairs.has(id));
  const changed = decisions.filter(({ id, pair }) => pairs.has(id) && pairSha256(pairs.get(id)!) !== pair);
  const twice = [...named].filter(([, own]) => own.length > 1).map(([id]) => id);
  const clashing = decisions.filter(({ id, verdict, answer }) => {
    const pair = pairs.get(id);
    return verdict === "edit" && pair?.choices?.some((choice) => choice !== pair.answer && choice === answer);
  });
  const faults = ([
    ["are unknown", unknown],
    ["read differently since the page was made", changed.map(({ id }) => id)],
    ["have more than one decision", twice],
    ["were given an answer that repeats another option", clashing.map(({ id }) => id)],
  ] as [string, string[]][]).filter(([, ids]) => ids.length > 0).map(([what, ids]) =>
    `${ids.length} ${what}: ${listed(ids)}`
  );
  if (faults.length > 0) {
    throw new Error(
      `${source}: expected decisions about pairs of the current run of notebook 02, found pairs of which ` +
        `${faults.join("; ")}. Nothing was stored; open the current run's ${REVIEW_PAGE} and decide there.`,
    );
  }
  const all = await readDecisions(config.scale);
  for (const decision of decisions) {
    if (decision.verdict === "undecided") all.delete(decision.id);
    else all.set(decision.id, decision);
  }
  const path = reviewPath(config.scale);
  const file: ReviewFile = { version: REVIEW_VERSION, scale: config.scale, decisions: [...all.values()] };
  await makeFolder(dirname(path));
  await writeFileAtomic(path, JSON.stringify(file, null, 1) + "\n", { mode: 0o600 }); // texts of a teacher
}
