import { rng, sha256, shuffle } from "../config/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import {
  type Endpoint,
  type JobOutcome,
  type JobProgress,
  type LlmErrorKind,
  type Parameter,
  runJobs,
} from "../llm/mod.ts";
import { applyFilters, type FilterCount, isFit, ruleVerdicts } from "./apply_filters.ts";
import { type Candidate, filtersFor } from "./filters.ts";
import { type QaPair, teacherPair } from "./pair.ts";
import { parseReply } from "./parse.ts";
import { askingOrder, type Plan, type PlanOptions, planRequests } from "./plan.ts";
import { knownText } from "./prompts.ts";
import type { RawPair, ReplyProblem, ReplyShape } from "./reply.ts";
import { decided, type Decision } from "./review_file.ts";
import { readVerdict, verifyJob } from "./verify.ts";

/** Whom to ask, and how. */
export interface SynthesisOptions extends PlanOptions {
  /** The teacher. */
  endpoint: Endpoint;
  /** Requests in flight. */
  concurrency: number;
  /** Replies are kept here; a second call with the same journal asks only for what is missing. */
  journalPath: string;
  /** Ask the teacher a second time about every pair that passes the rules: is it supported by the caption? */
  verify?: boolean;
  /** Captions say all there is to see: further rules then apply (filtersFor). Default: they do not. */
  completeCaptions?: boolean;
  /** What people decided, by pair id. */
  decisions?: ReadonlyMap<string, Decision>;
  /** Ends the asking; the replies so far stay. */
  signal?: AbortSignal;
  /** Progress of the requests for pairs, then of those that check them. */
  onProgress?: (progress: JobProgress, step: "write" | "check") => void;
}

/** What the teacher wrote. */
export interface SynthesisResult {
  /** Pairs that passed all filters. */
  pairs: QaPair[];
  /** Pairs that did not, with verdicts. */
  dropped: QaPair[];
  /** Requests and replies, by how they went. */
  counts: {
    /** Captions with text among the records. */
    captions: number;
    requests: number;
    /** Requests without a usable reply, by reason. */
    failed: Partial<Record<LlmErrorKind, number>>;
    /** Replies to requests that were sent without a parameter, or in another way, since the server refuses it. */
    refused: Partial<Record<Parameter, number>>;
    shapes: Partial<Record<ReplyShape, number>>;
    problems: Partial<Record<ReplyProblem, number>>;
    /** Pairs read from the replies. */
    parsed: number;
    /** Replies of the check; null if it was not asked for. Pairs whose check failed, was cut or cannot be read stay. */
    checks: { supported: number; unsupported: number; unread: number; cut: number; failed: number } | null;
    filters: FilterCount[];
  };
  /** Ids of decisions that were not applied, since their pair is gone or reads differently now. */
  staleDecisions: string[];
  /** Tokens of this run, as the server counts them. */
  tokens: { prompt: number; completion: number };
  /** Wall time of this call; replies taken from the journal cost none. */
  seconds: number;
  /** Replies that came from the journal. */
  resumed: number;
}

/**
 * Question-answer pairs written by a teacher model from captions, parsed, filtered, reviewed and counted (paper section
 * 4.2). Requests depend on records, seed and options alone, not on concurrency or on what was asked before.
 *
 * @param records captioned records; those without caption are left out
 * @throws as runJobs
 */
export async function synthesize(
  records: readonly CorpusRecord[],
  options: SynthesisOptions,
): Promise<SynthesisResult> {
  const start = performance.now();
  const captioned = records.filter((record) => record.caption !== null && record.caption.trim() !== "");
  const plans = planRequests(captioned, options);
  const outcomes = await ask(plans, options);
  const counts: SynthesisResult["counts"] = {
    captions: captioned.length,
    requests: plans.length,
    failed: {},
    refused: {},
    shapes: {},
    problems: {},
    parsed: 0,
    checks: null,
    filters: [],
  };
  const written = plans.flatMap((plan, i) => readPairs(plan, outcomes[i], counts));
  counts.parsed = written.length;
  const { candidates, stale } = decided(written, options.decisions ?? new Map());
  const checked = options.verify ? await check(candidates, options) : null;
  counts.checks = checked && checked.counts;
  const { kept, dropped, counts: filters } = applyFilters(
    checked?.candidates ?? candidates,
    filtersFor(options),
  );
  counts.filters = filters;
  const all = [...outcomes, ...checked?.outcomes ?? []];
  all.forEach(({ completion }) => completion?.refused.forEach((name) => add(counts.refused, name)));
  const sum = (count: "promptTokens" | "completionTokens") =>
    all.reduce((total, { completion }) => total + (completion?.[count] ?? 0), 0);
  return {
    pairs: kept,
    dropped,
    counts,
    staleDecisions: stale,
    tokens: { prompt: sum("promptTokens"), completion: sum("completionTokens") },
    seconds: (performance.now() - start) / 1000,
    resumed: all.filter((outcome) => outcome.resumed).length,
  };
}

/** The outcomes of all plans, in their order. */
async function ask(plans: readonly Plan[], options: SynthesisOptions): Promise<JobOutcome[]> {
  const { endpoint, concurrency, journalPath, signal, onProgress } = options;
  const order = askingOrder(plans);
  const ran = await runJobs(endpoint, order.map((i) => plans[i].job), {
    concurrency,
    journalPath,
    signal,
    onProgress: (progress) => onProgress?.(progress, "write"),
  });
  const outcomes: JobOutcome[] = new Array(plans.length);
  order.forEach((i, k) => outcomes[i] = ran[k]);
  return outcomes;
}

/** The pairs of one reply; what is lost is counted. */
function readPairs(
  { record, prompt, job }: Plan,
  { completion, reason }: JobOutcome,
  counts: SynthesisResult["counts"],
): Candidate[] {
  if (!completion) {
    add(counts.failed, reason!);
    return [];
  }
  const reply = parseReply(completion.text, completion.finishReason);
  add(counts.shapes, reply.shape);
  reply.problems.forEach((problem) => add(counts.problems, problem));
  const { model, server, time, refused } = completion;
  const seed = refused.includes("seed") ? null : job.request.seed;
  const temperature = refused.includes("temperature") ? null : job.request.temperature;
  const rawSha256 = sha256(completion.text);
  const provenance = { prompt: prompt.version, model, server, seed, temperature, time, rawSha256 };
  return reply.pairs.map((raw, k) => {
    const asked = {
      ...tidyPair(raw, `${job.id}#choices${k ? `/${k}` : ""}`),
      answerType: prompt.kind === "open" ? "open" as const : "closed" as const,
      questionType: prompt.topic,
    };
    const id = reply.pairs.length > 1 ? `${job.id}/${k}` : job.id;
    return { pair: teacherPair(record, id, asked, provenance), known: knownText(record), kind: prompt.kind };
  });
}

/** Candidates with the teacher's second opinion about those that pass the rules. */
async function check(candidates: readonly Candidate[], options: SynthesisOptions) {
  const { endpoint, concurrency, journalPath, signal, seed, onProgress } = options;
  const open = candidates.filter((one) => isFit(ruleVerdicts(one, filtersFor(options))) && !one.decision);
  const outcomes = await runJobs(endpoint, open.map((one) => verifyJob(one, seed)), {
    concurrency,
    journalPath,
    signal,
    onProgress: (progress) => onProgress?.(progress, "check"),
  });
  const counts = { supported: 0, unsupported: 0, unread: 0, cut: 0, failed: 0 };
  const verdicts = new Map(open.map((one, i) => {
    const { completion, reason } = outcomes[i];
    const cut = reason === "cut" || completion?.finishReason === "length";
    const verdict = completion && readVerdict(completion) || (cut ? "cut" : completion ? "unread" : "failed");
    counts[verdict]++;
    const said = {
      supported: "pass",
      unsupported: "unsupported, says the teacher",
      unread: null,
      cut: null,
      failed: null,
    };
    return [one, said[verdict]];
  }));
  return { outcomes, counts, candidates: candidates.map((one) => ({ ...one, checked: verdicts.get(one) })) };
}

function add<K extends string>(table: Partial<Record<K, number>>, key: K): void {
  table[key] = (table[key] ?? 0) + 1;
}

/** Options in random order, since teachers put the right one first. */
function tidyPair({ question, answer, choices }: RawPair, seed: string): RawPair {
  return {
    question: tidy(question),
    answer: tidy(answer),
    choices: choices && shuffle(choices.map(tidy), rng(seed)),
  };
}

/** One line, without the quotes or the full stop that teachers put around short answers. */
function tidy(text: string): string {
  const line = text.replace(/\s+/g, " ").trim().replace(/^"(.*)"$/, "$1");
  return /^[^.]*\.$/.test(line) ? line.slice(0, -1) : line;
}
