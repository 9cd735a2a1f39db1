import { canonicalJson, sha256 } from "../config/mod.ts";
import {
  complete,
  type Completion,
  type CompletionOptions,
  type CompletionRequest,
  wireBody,
} from "./complete.ts";
import { type Endpoint } from "./endpoint.ts";
import { LlmError } from "./error.ts";
import { openJournal } from "./journal.ts";

export interface Job {
  /** Unique within the list. */
  id: string;
  request: CompletionRequest;
}

/** What came of a job: a completion, or the reason why there is none. */
export type JobOutcome =
  & {
    id: string; /** SHA-256 of the request. */
    request: string; /** Taken from the journal. */
    resumed: boolean;
  }
  & ({ completion: Completion; error?: undefined } | { completion?: undefined; error: string });

export interface JobProgress {
  total: number;
  /** Finished, with those of the journal. */
  done: number;
  resumed: number;
  failed: number;
  /** Tokens generated in this run. */
  tokens: number;
  seconds: number;
  /** Estimated from this run's pace; null before its first job is finished. */
  secondsLeft: number | null;
}

export interface JobsOptions extends CompletionOptions {
  /** Requests in flight at once. */
  concurrency: number;
  journalPath: string;
  onProgress?: (progress: JobProgress) => void;
}

/** The name of a request: SHA-256 over what is sent for it. */
export function requestSha256(model: string, request: CompletionRequest): string {
  return sha256(canonicalJson(wireBody(model, request)));
}

/**
 * Runs all jobs and returns their outcomes in the order of the jobs.
 *
 * Every outcome is a line in the journal, on disk before the next job starts; a later call with the same journal asks
 * only for what has no completion yet. What is asked does not depend on `concurrency`.
 * A job that fails after its retries is an outcome with `error`; a wrong key or an unreachable server ends the run.
 *
 * @throws LlmError (auth, unreachable), the signal's reason if aborted, or an error of the journal file
 */
export async function runJobs(
  endpoint: Endpoint,
  jobs: readonly Job[],
  options: JobsOptions,
): Promise<JobOutcome[]> {
  const names = new Set(jobs.map((job) => job.id));
  if (names.size !== jobs.length) {
    throw new Error(`jobs: expected unique ids, found ${jobs.length - names.size} repeated`);
  }
  const journal = await openJournal(options.journalPath);
  try {
    const known = new Map<string, Completion>();
    for (const entry of journal.entries) {
      if (entry.completion) known.set(`${entry.request} ${entry.id}`, entry.completion);
    }
    const outcomes: JobOutcome[] = new Array(jobs.length);
    const open: { index: number; job: Job; request: string }[] = [];
    jobs.forEach((job, index) => {
      const request = requestSha256(endpoint.model, job.request);
      const completion = known.get(`${request} ${job.id}`);
      if (completion) outcomes[index] = { id: job.id, request, resumed: true, completion };
      else open.push({ index, job, request });
    });

    const resumed = jobs.length - open.length;
    const start = performance.now();
    let done = 0, failed = 0, tokens = 0;
    const report = () => {
      const seconds = (performance.now() - start) / 1000;
      const secondsLeft = done > 0 ? (seconds / done) * (open.length - done) : open.length === 0 ? 0 : null;
      options.onProgress?.({
        total: jobs.length,
        done: resumed + done,
        resumed,
        failed,
        tokens,
        seconds,
        secondsLeft,
      });
    };
    report();

    const halt = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, halt.signal]) : halt.signal;
    let next = 0;
    const work = async () => {
      while (next < open.length) {
        signal.throwIfAborted();
        const { index, job, request } = open[next++];
        try {
          const completion = await complete(endpoint, job.request, { ...options, signal });
          await journal.append({ id: job.id, request, completion });
          outcomes[index] = { id: job.id, request, resumed: false, completion };
          tokens += completion.completionTokens ?? 0;
        } catch (error) {
          if (!(error instanceof LlmError) || error.kind === "auth" || error.kind === "unreachable") {
            halt.abort(error);
            throw error;
          }
          await journal.append({ id: job.id, request, error: error.message });
          outcomes[index] = { id: job.id, request, resumed: false, error: error.message };
          failed++;
        }
        done++;
        report();
      }
    };
    const workers = Array.from({ length: Math.max(1, Math.min(options.concurrency, open.length)) }, work);
    const ends = await Promise.allSettled(workers);
    if (signal.aborted) throw signal.reason;
    const broken = ends.find((end) => end.status === "rejected");
    if (broken) throw broken.reason;
    return outcomes;
  } finally {
    await journal.close();
  }
}
