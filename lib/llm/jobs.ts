import { canonicalJson, sha256 } from "../config/mod.ts";
import {
  complete,
  type Completion,
  type CompletionRequest,
  type RetryOptions,
  wireBody,
  withReasoning,
} from "./complete.ts";
import { type Endpoint } from "./endpoint.ts";
import { endsRun, isAnswer, LlmError, type LlmErrorKind } from "./error.ts";
import { type JournalEntry, openJournal } from "./journal.ts";
import { refuseThirdParties } from "./loopback.ts";
import { type JobProgress, progressMeter } from "./progress.ts";

/** A request with an id of its own. */
export interface Job {
  /** Unique within the list. */
  id: string;
  /** What is asked. */
  request: CompletionRequest;
  /** The request carries a row that may be sent to servers on this machine only. */
  noThirdParty?: boolean;
}

/** What came of a job: a completion, or the reason why there is none. */
export type JobOutcome =
  & {
    id: string;
    /** SHA-256 of the request. */
    request: string;
    /** Taken from the journal. */
    resumed: boolean;
  }
  & (
    | { completion: Completion; error?: undefined; reason?: undefined }
    | { completion?: undefined; error: string; reason: LlmErrorKind }
  );

/** How many requests are made at once, and where replies are kept. */
export interface JobsOptions extends RetryOptions {
  /** Requests in flight at once. */
  concurrency: number;
  /** Replies are kept here; a second call asks only for what is missing. */
  journalPath: string;
  /** Called after every reply. */
  onProgress?: (progress: JobProgress) => void;
}

/** The name of a request: SHA-256 over what is sent for it. */
function requestSha256(endpoint: Endpoint, request: CompletionRequest): string {
  return sha256(canonicalJson(wireBody(endpoint.model, withReasoning(endpoint, request))));
}

/** So many requests are sent to a server that has rejected each of them, and none more. */
const MAX_REJECTED = 10;

/**
 * Runs all jobs and returns their outcomes in the order of the jobs.
 *
 * Every outcome is a line in the journal, on disk before its place is given to the next job; a later call with the same
 * journal asks only for what the model has not answered yet. A refusal and an empty reply are answers; what failed
 * otherwise is asked again. What is asked, and in which order, does not depend on `concurrency`.
 * A job that fails after its retries is an outcome with `error` and `reason`; a refused key, spent credit, the loss of
 * all servers, or ten rejected requests before the first that is answered end the run.
 *
 * @throws LlmError (auth, quota, unreachable, rejected); an error before anything is sent if a job is not for third parties and
 * a server is one; the signal's reason if aborted; an error of the journal file
 */
export async function runJobs(
  endpoint: Endpoint,
  jobs: readonly Job[],
  options: JobsOptions,
): Promise<JobOutcome[]> {
  checkJobs(endpoint, jobs, options.concurrency);
  const journal = await openJournal(options.journalPath);
  try {
    const known = new Map<string, JournalEntry>();
    for (const entry of journal.entries) {
      if (isAnswered(entry)) known.set(`${entry.request} ${entry.id}`, entry);
    }
    const outcomes: JobOutcome[] = new Array(jobs.length);
    const open: { index: number; job: Job; request: string }[] = [];
    jobs.forEach((job, index) => {
      const request = requestSha256(endpoint, job.request);
      const entry = known.get(`${request} ${job.id}`);
      if (entry) outcomes[index] = outcomeOf(entry, true);
      else open.push({ index, job, request });
    });
    const resumed = {
      done: jobs.length - open.length,
      failed: outcomes.filter((outcome) => outcome.error !== undefined).length,
    };
    const advance = progressMeter(jobs.length, resumed, endpoint, options.onProgress);

    const halt = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, halt.signal]) : halt.signal;
    let next = 0, rejected = 0, answered = resumed.done > 0;
    const work = async () => {
      while (next < open.length) {
        signal.throwIfAborted();
        const { index, job, request } = open[next++];
        const entry = await run(endpoint, job, request, { ...options, signal });
        await journal.append(entry);
        outcomes[index] = outcomeOf(entry, false);
        advance(entry.completion ?? entry.failure!, entry.completion !== undefined);
        if (entry.failure?.reason === "rejected") rejected++;
        answered ||= isAnswered(entry);
        if (!answered && rejected >= MAX_REJECTED && next < open.length) throw unfit(rejected, entry);
      }
    };
    const workers = Array.from({ length: Math.min(options.concurrency, open.length) }, work);
    await Promise.allSettled(workers.map((worker) => worker.catch((error) => halt.abort(error))));
    signal.throwIfAborted();
    return outcomes;
  } finally {
    await journal.close();
  }
}

function checkJobs(endpoint: Endpoint, jobs: readonly Job[], concurrency: number): void {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new Error(`jobs: expected a positive whole number of requests at once, found ${concurrency}`);
  }
  const repeated = jobs.length - new Set(jobs.map((job) => job.id)).size;
  if (repeated > 0) throw new Error(`jobs: expected unique ids, found ${repeated} repeated`);
  refuseThirdParties(endpoint, jobs.filter((job) => job.noThirdParty).length, jobs.length);
}

/** @throws what ends the run */
async function run(
  endpoint: Endpoint,
  job: Job,
  request: string,
  options: RetryOptions,
): Promise<JournalEntry> {
  const { id, noThirdParty } = job;
  const { signal, maxRetries, retryDelayMs } = options;
  try {
    const completion = await complete(endpoint, job.request, {
      signal,
      maxRetries,
      retryDelayMs,
      noThirdParty,
    });
    return { id, request, completion };
  } catch (error) {
    if (!(error instanceof LlmError) || endsRun(error.kind)) throw error;
    return { id, request, failure: { reason: error.kind, message: error.message, ...error.tokens } };
  }
}

const unfit = (rejected: number, { failure }: JournalEntry): LlmError =>
  new LlmError(
    "rejected",
    `expected a server that takes these requests, found the first ${rejected} of them rejected, the last with "${
      failure!.message
    }"; see to the server, its address and the model's name, then run again`,
  );

const isAnswered = ({ completion, failure }: JournalEntry): boolean =>
  completion !== undefined || (failure !== undefined && isAnswer(failure.reason));

function outcomeOf({ id, request, completion, failure }: JournalEntry, resumed: boolean): JobOutcome {
  if (completion) return { id, request, resumed, completion };
  return { id, request, resumed, error: failure!.message, reason: failure!.reason };
}
