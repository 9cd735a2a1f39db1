import type { Config } from "../config/mod.ts";
import { type Endpoint, endpoint, startEmbeddedServer } from "../llm/mod.ts";
import type { Agreement } from "../stats/mod.ts";
import { answersOf, type CellAnswers, type GridItems } from "./cells.ts";
import { judgeAgreement, type JudgedAccuracy, judgedAccuracy, type JudgeVerdict } from "./judge.ts";
import { exact } from "./scorers.ts";

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
export interface JudgedCell extends JudgedAccuracy {
  name: string;
  /** Model that judged. */
  judge: string;
  /** Answers that match the reference exactly. */
  matches: number;
  /** Between the verdicts and exact match. */
  agreement: Agreement;
}

/**
 * Accuracy as the judge sees it, and its agreement with exact match, for every system with a readable verdict.
 *
 * @param verdicts of each system's open answers, by its name
 * @throws when there are no answers of a name.
 */
export function judgedCells(
  verdicts: Readonly<Record<string, readonly JudgeVerdict[]>>,
  answers: readonly CellAnswers[],
  items: GridItems,
): JudgedCell[] {
  return Object.entries(verdicts).flatMap(([name, list]): JudgedCell[] => {
    if (verdictShare([list]) === 0) return [];
    const { cell, open } = answersOf(answers, name), asked = items[cell.testSet].open;
    const said = new Map(open.map(({ id, answer }) => [id, answer]));
    const matches = new Map(
      asked.map((item) => [item.id, exact({ ...item, prediction: said.get(item.id)! }) === 1]),
    );
    return [{
      name,
      judge: list[0].model,
      matches: [...matches.values()].filter(Boolean).length,
      agreement: judgeAgreement(list, matches),
      ...judgedAccuracy(asked, list),
    }];
  });
}

/** Share of the judge's replies that are verdicts; 0 of none. */
export function verdictShare(lists: readonly (readonly JudgeVerdict[])[]): number {
  const all = lists.flat();
  return all.length > 0 ? all.filter(({ correct }) => correct !== null).length / all.length : 0;
}

/** Judged systems as rows of a table, with Cohen's kappa and its interval. */
export function judgedRows(judged: readonly JudgedCell[]): Record<string, string | number>[] {
  return judged.map(({ name, judge, judged, correct, unreadable, matches, agreement: { kappa } }) => ({
    cell: name,
    judge,
    judged,
    "judged correct": correct,
    unread: unreadable,
    "exact match": matches,
    kappa: kappa.estimate.toFixed(2),
    low: kappa.low.toFixed(2),
    high: kappa.high.toFixed(2),
  }));
}
