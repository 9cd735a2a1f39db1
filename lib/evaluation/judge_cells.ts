import type { Config } from "../config/mod.ts";
import { type Endpoint, endpoint, startEmbeddedServer } from "../llm/mod.ts";
import { type Agreement, cohenKappa } from "../stats/mod.ts";
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
  const named = endpoint("JUDGE");
  if (named) {
    const stop = () => Promise.resolve();
    return { ...named, standIn: false, concurrency: config.synthesis.concurrency, stop };
  }
  const { baseURLs, model, apiKey, stop } = await startEmbeddedServer({
    processes: EMBEDDED_PROCESSES,
    signal,
  });
  return { baseURLs, model, apiKey, standIn: true, concurrency: EMBEDDED_PROCESSES, stop };
}

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
}

/** Every judged system of a table of scores. */
export function judgedCells(table: ScoreTable): JudgedCell[] {
  const judged = [...table.values()].filter(([row]) => row.scorer === "judge");
  return judged.map((scores) => {
    const { cell } = scores[0], matches = scoresOf(table, cell, "open", "exact");
    const truth = new Map(matches.map(({ id, run, score }) => [`${id}#${run}`, score === 1]));
    return {
      cell,
      accuracy: accuracyOf(scores)!,
      exact: accuracyOf(matches)!,
      agreement: judgeAgreement(scores, truth),
    };
  });
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
