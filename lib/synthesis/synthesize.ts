import { rng, sha256, shuffle } from "../config/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import { type Endpoint, type Job, type JobProgress, runJobs } from "../llm/mod.ts";
import { applyFilters, type FilterCount } from "./apply_filters.ts";
import type { Candidate } from "./filters.ts";
import { type QaPair, teacherPair } from "./pair.ts";
import { parseReply, type ReplyProblem, type ReplyShape } from "./parse.ts";
import { knownText, PAIR_KINDS, type PairKind, type PairPrompt, pairPrompt, topicsFor } from "./prompts.ts";

export interface SynthesisOptions {
  endpoint: Endpoint;
  /** All requests and their seeds follow from it. */
  seed: number;
  temperature: number;
  /** Limit of generated tokens per request. */
  maxTokens: number;
  concurrency: number;
  /** Replies are kept here; a second call with the same journal asks only for what is missing. */
  journalPath: string;
  /** Requests for each caption (default 1); each asks for one pair. */
  pairsPerCaption?: number;
  /** Kinds of pairs, taken in turn (default all three). */
  kinds?: readonly PairKind[];
  signal?: AbortSignal;
  onProgress?: (progress: JobProgress) => void;
}

export interface SynthesisResult {
  /** Pairs that passed all filters. */
  pairs: QaPair[];
  /** Pairs that did not, with verdicts. */
  dropped: QaPair[];
  counts: {
    /** Captions with text among the records. */
    captions: number;
    requests: number;
    /** Requests without reply, by message. */
    failed: Record<string, number>;
    shapes: Partial<Record<ReplyShape, number>>;
    problems: Partial<Record<ReplyProblem, number>>;
    /** Pairs read from the replies. */
    parsed: number;
    filters: FilterCount[];
  };
  tokens: { prompt: number; completion: number };
  /** Wall time of this call; replies taken from the journal cost none. */
  seconds: number;
  resumed: number;
}

interface Plan {
  job: Job;
  record: CorpusRecord;
  prompt: PairPrompt;
}

/**
 * Question-answer pairs written by a teacher model from captions, parsed, filtered and counted (paper section 4.2).
 *
 * Each caption is asked `pairsPerCaption` times, in turn for the kinds of pairs and for topics that the caption speaks
 * of. Requests depend on records, seed and options alone, not on concurrency or on what was asked before.
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
  const { concurrency, journalPath, signal, onProgress } = options;
  // Requests with the same beginning follow one another, so that a server's prompt cache is of use.
  const order = plans.map((_, i) => i).sort((a, b) =>
    compare(prefixOf(plans[a]), prefixOf(plans[b])) || a - b
  );
  const ran = await runJobs(options.endpoint, order.map((i) => plans[i].job), {
    concurrency,
    journalPath,
    signal,
    onProgress,
  });
  const outcomes: typeof ran = new Array(plans.length);
  order.forEach((i, k) => outcomes[i] = ran[k]);

  const counts: SynthesisResult["counts"] = {
    captions: captioned.length,
    requests: plans.length,
    failed: {},
    shapes: {},
    problems: {},
    parsed: 0,
    filters: [],
  };
  const add = <K extends string>(table: Partial<Record<K, number>>, key: K) =>
    table[key] = (table[key] ?? 0) + 1;
  const tokens = { prompt: 0, completion: 0 };
  const candidates: Candidate[] = [];
  plans.forEach((plan, i) => {
    const { completion, error } = outcomes[i];
    if (!completion) return void add(counts.failed, error!);
    tokens.prompt += completion.promptTokens ?? 0;
    tokens.completion += completion.completionTokens ?? 0;
    const reply = parseReply(completion.text, completion.finishReason);
    add(counts.shapes, reply.shape);
    reply.problems.forEach((problem) => add(counts.problems, problem));
    const { record, prompt, job } = plan;
    reply.pairs.forEach((raw, k) => {
      const asked = {
        question: tidy(raw.question),
        answer: tidy(raw.answer),
        choices: raw.choices && shuffle(raw.choices.map(tidy), rng(`${job.id}#choices`)),
        answerType: prompt.kind === "open" ? "open" as const : "closed" as const,
        questionType: prompt.topic,
      };
      const provenance = {
        prompt: prompt.version,
        model: completion.model,
        server: completion.server,
        seed: job.request.seed,
        temperature: job.request.temperature,
        time: completion.time,
        rawSha256: sha256(completion.text),
      };
      const id = reply.pairs.length > 1 ? `${job.id}/${k}` : job.id;
      candidates.push({
        pair: teacherPair(record, id, asked, provenance),
        known: knownText(record),
        kind: prompt.kind,
      });
    });
  });
  counts.parsed = candidates.length;
  const { kept, dropped, counts: filters } = applyFilters(candidates);
  counts.filters = filters;
  const resumed = outcomes.filter((outcome) => outcome.resumed).length;
  return { pairs: kept, dropped, counts, tokens, seconds: (performance.now() - start) / 1000, resumed };
}

function planRequests(records: readonly CorpusRecord[], options: SynthesisOptions): Plan[] {
  const { pairsPerCaption = 1, kinds = PAIR_KINDS, seed, temperature, maxTokens } = options;
  return records.flatMap((record) => {
    const random = rng(`synthesis/${seed}/${record.id}`);
    const topics = shuffle(topicsFor(record), random);
    const turns = shuffle(kinds, random);
    return Array.from({ length: pairsPerCaption }, (_, i) => {
      const kind = turns[i % turns.length];
      const topic = topics[i % topics.length];
      const prompt = pairPrompt(record, kind, topic, random() < 0.5 ? "yes" : "no");
      const request = {
        messages: prompt.messages,
        schema: prompt.schema,
        seed: Math.floor(random() * 2 ** 31),
        temperature,
        maxTokens,
      };
      return { record, prompt, job: { id: `${record.id}#teacher/${i}`, request } };
    });
  });
}

const prefixOf = ({ prompt }: Plan) => `${prompt.version}/${prompt.topic}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** One line, without the quotes or the full stop that teachers put around short answers. */
function tidy(text: string): string {
  const line = text.replace(/\s+/g, " ").trim().replace(/^"(.*)"$/, "$1");
  return /^[^.]*\.$/.test(line) ? line.slice(0, -1) : line;
}
