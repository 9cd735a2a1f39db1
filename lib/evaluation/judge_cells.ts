import type { Config } from "../config/mod.ts";
import { type Endpoint, endpoint, startEmbeddedServer } from "../llm/mod.ts";
import { type Agreement, clusteredKappa, cohenKappa, type Interval } from "../stats/mod.ts";
import { answerKey } from "./grading.ts";
import { type ItemScore, scoresOf, type ScoreTable } from "./item_scores.ts";
import type { JudgeVerdict } from "./judge.ts";
import { type Accuracy, accuracyOf } from "./metrics.ts";

/** The language model that judges. */
export interface Judge extends Endpoint {
  /** The embedded model, which is far too small to be a judge. */
  standIn: boolean;
  /** Requests to send at once. */
  concurrency: number;
  /** Ends the embedded model's processes; another server goes on. */
  stop(): Promise<void>;
}

const EMBEDDED_PROCESSES = 2;

/**
 * The judge that JUDGE_URL, JUDGE_MODEL and JUDGE_API_KEY name, or else the embedded model.
 *
 * @throws as `endpoint` and `startEmbeddedServer`.
 */
export async function openJudge(
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Judge> {
  const named = namedJudge(config, "JUDGE");
  if (named) return named;
  const { baseURLs, model, apiKey, stop } = await startEmbeddedServer({
    processes: EMBEDDED_PROCESSES,
    signal,
  });
  return { baseURLs, model, apiKey, standIn: true, concurrency: EMBEDDED_PROCESSES, stop };
}

/** The judge that the environment names, or a second one to compare it with (JUDGE2_URL, JUDGE2_MODEL, ...); null where it names none. */
export function namedJudge(config: Config, role: "JUDGE" | "JUDGE2"): Judge | null {
  const named = endpoint(role);
  return named &&
    { ...named, standIn: false, concurrency: config.synthesis.concurrency, stop: () => Promise.resolve() };
}

/** Agreement of one who judges with one who is believed, over all judged answers; answers about one image are alike. */
export interface RaterAgreement {
  /** Who judges. */
  rater: "the judge" | "exact match";
  /** Who is believed. */
  with: "a person" | "exact match";
  /** Answers that both judged. */
  answers: number;
  /** Share of answers on which both say the same. */
  observed: number;
  /** NaN where the one who is believed says the same of all answers: then nothing can agree with that beyond chance. */
  kappa: Interval;
}

/** Whether there is agreement to be told of, and none beyond chance is seen: the interval of kappa holds 0. */
export const isWorthless = ({ kappa }: RaterAgreement): boolean => kappa.low <= 1e-9;

/** What the judge says about one system, and whether it can be believed. */
export interface JudgedCell {
  /** The system. */
  cell: string;
  /** As the judge sees it; replies without a verdict are `unread`, and wrong. */
  accuracy: Accuracy;
  /** Exact match on the same answers. */
  exact: Accuracy;
  /** Between the two. */
  agreement: Agreement;
  /** Of the judge, over all systems that it judged: with a person who graded its answers, else with exact match. */
  standing: RaterAgreement;
}

/**
 * Every judged system of a table of scores.
 *
 * @param person what a person said of answers (`personVerdicts`); none if not given
 */
export function judgedCells(
  table: ScoreTable,
  person: ReadonlyMap<string, boolean> = new Map(),
): JudgedCell[] {
  const judged = [...table.values()].filter(([row]) => row.scorer === "judge");
  const all = judged.flat(), known = knownByExact(table, judged);
  if (all.length === 0) return [];
  const byPerson = agreementWith("the judge", all, "a person", person);
  const standing = byPerson && !Number.isNaN(byPerson.kappa.low)
    ? byPerson
    : agreementWith("the judge", all, "exact match", known)!;
  return judged.map((scores) => {
    const { cell } = scores[0], matches = scoresOf(table, cell, "open", "exact");
    const truth = new Map(matches.map(({ id, run, score }) => [`${id}#${run}`, score === 1]));
    return {
      cell,
      accuracy: accuracyOf(scores)!,
      exact: accuracyOf(matches)!,
      agreement: judgeAgreement(scores, truth),
      standing,
    };
  });
}

/** Exact match of all answers of the judged systems. */
const knownByExact = (table: ScoreTable, judged: readonly (readonly ItemScore[])[]) =>
  new Map(
    judged.flatMap(([{ cell }]) => scoresOf(table, cell, "open", "exact"))
      .map((row) => [answerKey(row), row.score === 1]),
  );

/** How judge and exact match agree with a person on the answers of judged systems that the person graded; none without. */
export function personAgreement(
  table: ScoreTable,
  person: ReadonlyMap<string, boolean>,
): RaterAgreement[] {
  const judged = [...table.values()].filter(([row]) => row.scorer === "judge");
  const matches = judged.flatMap(([{ cell }]) => scoresOf(table, cell, "open", "exact"));
  return [
    agreementWith("the judge", judged.flat(), "a person", person),
    agreementWith("exact match", matches, "a person", person),
  ].filter((found) => found !== null);
}

function agreementWith(
  rater: RaterAgreement["rater"],
  scores: readonly ItemScore[],
  other: RaterAgreement["with"],
  truth: ReadonlyMap<string, boolean>,
): RaterAgreement | null {
  const both = scores.filter((row) => truth.has(answerKey(row)));
  if (both.length === 0) return null;
  const said = both.map(({ score }) => String(score === 1)),
    known = both.map((row) => String(truth.get(answerKey(row))));
  const { observed } = cohenKappa(said, known), constant = new Set(known).size === 1;
  const kappa = constant
    ? { estimate: NaN, low: NaN, high: NaN }
    : clusteredKappa(said, known, both.map(({ imageId }) => imageId));
  return { rater, with: other, answers: both.length, observed, kappa };
}

/**
 * How far the judge's verdicts agree with known ones (a person's, another judge's, or exact match).
 *
 * @param truth known verdict by item and run ("ID#RUN"); answers without one do not count.
 * @throws when nothing is left to compare.
 */
export function judgeAgreement(
  scores: readonly Pick<ItemScore, "id" | "run" | "score">[],
  truth: ReadonlyMap<string, boolean>,
): Agreement {
  const both = scores.flatMap(({ id, run, score }) => {
    const known = truth.get(`${id}#${run}`);
    return known === undefined ? [] : [[String(score === 1), String(known)]];
  });
  return cohenKappa(both.map(([judged]) => judged), both.map(([, known]) => known));
}

/** Share of the judge's replies that are verdicts; 0 of none. */
export function verdictShare(lists: readonly (readonly JudgeVerdict[])[]): number {
  const all = lists.flat();
  return all.length > 0 ? all.filter(({ correct }) => correct !== null).length / all.length : 0;
}
