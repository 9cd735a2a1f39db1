import type { Endpoint } from "./endpoint.ts";
import type { TokenCounts } from "./error.ts";
import type { Parameter } from "./replicas.ts";

/** How far a run of jobs is. */
export interface JobProgress {
  /** Jobs in all. */
  total: number;
  /** Finished, with those of the journal. */
  done: number;
  /** Finished in an earlier run. */
  resumed: number;
  /** Finished without completion, with those of the journal. */
  failed: number;
  /** Tokens generated in this run, as the server counts them. */
  tokens: number;
  /** Tokens of this run's prompts. */
  promptTokens: number;
  /** What this run's tokens cost, in the currency of the endpoint's price; null if it has none. */
  cost: number | null;
  /** What the server refuses of the requests, which this run has sent without it or in another way. */
  refused: readonly Parameter[];
  /** Since this run began. */
  seconds: number;
  /** Estimated from this run's pace; null before its first job is finished. */
  secondsLeft: number | null;
}

/** Counts jobs as they finish and reports after each. */
export function progressMeter(
  total: number,
  resumed: { done: number; failed: number },
  { price }: Endpoint,
  onProgress: (progress: JobProgress) => void = () => {},
) {
  const start = performance.now();
  const open = total - resumed.done;
  let done = 0, { failed } = resumed, tokens = 0, promptTokens = 0;
  let refused: readonly Parameter[] = [];
  const report = () => {
    const seconds = (performance.now() - start) / 1000;
    const secondsLeft = done > 0 ? (seconds / done) * (open - done) : open === 0 ? 0 : null;
    const cost = price ? (promptTokens * price.input + tokens * price.output) / 1e6 : null;
    onProgress({
      total,
      done: resumed.done + done,
      resumed: resumed.done,
      failed,
      tokens,
      promptTokens,
      cost,
      refused,
      seconds,
      secondsLeft,
    });
  };
  report();
  return (used: TokenCounts & { refused?: readonly Parameter[] }, success: boolean) => {
    done++;
    if (!success) failed++;
    tokens += used.completionTokens ?? 0;
    promptTokens += used.promptTokens ?? 0;
    if (used.refused && used.refused.length > refused.length) refused = used.refused;
    report();
  };
}

/** "12 failed, 34,567 tokens, cost 0.12, 5 min left": what to write beside a bar. */
export function progressNote(now: JobProgress): string {
  const { failed, tokens, promptTokens, cost, refused, secondsLeft } = now;
  const parts = [`${(tokens + promptTokens).toLocaleString("en")} tokens`];
  if (failed > 0) parts.unshift(`${failed} failed`);
  if (cost !== null) parts.push(`cost ${cost.toFixed(2)}`);
  if (refused.length > 0) parts.push(`the server refuses ${refused.join(" and ")}`);
  if (secondsLeft !== null && secondsLeft > 0) {
    parts.push(
      secondsLeft < 90 ? `${Math.ceil(secondsLeft)} s left` : `${Math.ceil(secondsLeft / 60)} min left`,
    );
  }
  return parts.join(", ");
}
