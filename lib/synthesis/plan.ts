import { rng, shuffle } from "../config/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import type { Job } from "../llm/mod.ts";
import { MAX_YES_NO_SHARE } from "./set_filters.ts";
import { PAIR_KINDS, type PairKind, type PairPrompt, pairPrompt, topicsFor } from "./prompts.ts";

/** A request for one pair about one record. */
export interface Plan {
  job: Job;
  record: CorpusRecord;
  prompt: PairPrompt;
}

/** What the requests follow from. */
export interface PlanOptions {
  /** Of captions, kinds and topics, and of the teacher. */
  seed: number;
  /** Of the teacher; 0 is greedy. */
  temperature: number;
  /** Limit of generated tokens per request. */
  maxTokens: number;
  /** Requests for each caption (default 1); each asks for one pair. */
  pairsPerCaption?: number;
  /** Kinds of pairs, taken in turn (default all three). */
  kinds?: readonly PairKind[];
}

/**
 * The requests for captioned records: each caption `pairsPerCaption` times, in turn for the kinds of pairs and for the
 * topics that it speaks of. Of the yes-no requests as many ask for "no" as the balance allows: teachers find it harder to
 * ask for what is not there, so fewer of these pairs are true. The requests follow from seed, records and options alone.
 */
export function planRequests(records: readonly CorpusRecord[], options: PlanOptions): Plan[] {
  const { pairsPerCaption = 1, kinds = PAIR_KINDS, seed, temperature, maxTokens } = options;
  return records.flatMap((record) => {
    const random = rng(`synthesis/${seed}/${record.id}`);
    const topics = shuffle(topicsFor(record), random);
    const turns = shuffle(kinds, random);
    return Array.from({ length: pairsPerCaption }, (_, i) => {
      const kind = turns[i % turns.length];
      const topic = topics[i % topics.length];
      const prompt = pairPrompt(record, kind, topic, random() < MAX_YES_NO_SHARE ? "no" : "yes");
      const { messages, schema } = prompt;
      const request = { messages, schema, seed: Math.floor(random() * 2 ** 31), temperature, maxTokens };
      const { noThirdParty } = record;
      return { record, prompt, job: { id: `${record.id}#teacher/${i}`, request, noThirdParty } };
    });
  });
}

/** Requests with the same beginning one after another, so that a server's prompt cache is of use: indices into `plans`. */
export function askingOrder(plans: readonly Plan[]): number[] {
  const prefixes = plans.map(({ prompt }) => `${prompt.version}/${prompt.topic}/${prompt.wanted}`);
  return plans.map((_, i) => i).sort((a, b) =>
    prefixes[a] < prefixes[b] ? -1 : prefixes[a] > prefixes[b] ? 1 : 0
  );
}
