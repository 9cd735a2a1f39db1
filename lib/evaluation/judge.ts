import { z } from "zod";
import { type Endpoint, type JobProgress, type Message, runJobs } from "../llm/mod.ts";
import {
  type Agreement,
  bootstrapInterval,
  cohenKappa,
  type Interval,
  wilsonInterval,
} from "../stats/mod.ts";
import { answersByItem, type EvaluationItem, type Prediction } from "./records.ts";

/** Changes with every change of the words below, so that verdicts say which prompt they come from. */
export const JUDGE_PROMPT_VERSION = "judge-1";

const INSTRUCTION = `You grade answers to questions about radiology images.
You are given a question, a reference answer written by an expert, and the answer of a student. You do not see the image: take the reference as true.
The student's answer is correct if it states the same finding, structure, side, diagnosis or value as the reference. Other words, extra detail that agrees with the reference and differences of style are fine.
It is incorrect if it contradicts the reference, names something else, leaves out what was asked, or is empty.
Reply with one JSON object: {"reason": one short sentence, "correct": true or false}.`;

const Verdict = z.object({ reason: z.string(), correct: z.boolean() });

const VERDICT_SCHEMA = {
  name: "verdict",
  schema: {
    type: "object",
    properties: { reason: { type: "string", maxLength: 80 }, correct: { type: "boolean" } },
    required: ["reason", "correct"],
    additionalProperties: false,
  },
};

/** What the judge said about one answer. */
export interface JudgeVerdict {
  id: string;
  run: number;
  /** Null where the reply was no verdict, or the request failed. */
  correct: boolean | null;
  reason: string;
  /** The reply as it came; "" where the request failed. */
  raw: string;
  error: string | null;
  model: string;
  prompt: string;
}

/** The judge's messages for one answer (paper figure 10, in our own words). */
export function judgeMessages(item: EvaluationItem, answer: string): Message[] {
  return [
    { role: "system", content: INSTRUCTION },
    {
      role: "user",
      content: `Question: ${item.question}\nReference answer: ${item.answer}\nStudent's answer: ${
        answer.trim() || "(empty)"
      }`,
    },
  ];
}

/** Reads a verdict out of a reply; null if there is none. */
export function parseVerdict(text: string): { correct: boolean; reason: string } | null {
  const start = text.indexOf("{");
  const end = text.lastIndexOf("}");
  if (start < 0 || end < start) return null;
  try {
    const parsed = Verdict.safeParse(JSON.parse(text.slice(start, end + 1)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/**
 * Has a language model judge each answer to an open question: one call per answer, resumable through the journal.
 *
 * @throws when predictions do not fit the items; as `runJobs`, for items that must not be sent to a server elsewhere too.
 */
export async function judgeOpen(
  items: readonly EvaluationItem[],
  predictions: readonly Prediction[],
  judge: Endpoint,
  options: {
    journalPath: string;
    concurrency: number;
    seed: number;
    onProgress?: (progress: JobProgress) => void;
    signal?: AbortSignal;
  },
): Promise<JudgeVerdict[]> {
  answersByItem(items, predictions);
  const byId = new Map(items.map((item) => [item.id, item]));
  const outcomes = await runJobs(
    judge,
    predictions.map(({ id, run, answer }) => ({
      id: `${id}#${run}`,
      noThirdParty: byId.get(id)!.noThirdParty,
      request: {
        messages: judgeMessages(byId.get(id)!, answer),
        schema: VERDICT_SCHEMA,
        seed: options.seed,
        temperature: 0,
        maxTokens: 64,
      },
    })),
    {
      concurrency: options.concurrency,
      journalPath: options.journalPath,
      onProgress: options.onProgress,
      signal: options.signal,
    },
  );
  return outcomes.map((outcome, i) => {
    const raw = outcome.completion?.text ?? "";
    const verdict = parseVerdict(raw);
    return {
      id: predictions[i].id,
      run: predictions[i].run,
      correct: verdict?.correct ?? null,
      reason: verdict?.reason ?? "",
      raw,
      error: outcome.error ?? (verdict ? null : "the reply holds no verdict"),
      model: outcome.completion?.model ?? judge.model,
      prompt: JUDGE_PROMPT_VERSION,
    };
  });
}

/** Accuracy as the judge sees it. */
export interface JudgedAccuracy {
  judged: number;
  correct: number;
  /** Answers without a readable verdict: outside the accuracy. */
  unreadable: number;
  wilson: Interval;
  byImage: Interval;
}

/** @throws when no verdict is readable. */
export function judgedAccuracy(
  items: readonly EvaluationItem[],
  verdicts: readonly JudgeVerdict[],
): JudgedAccuracy {
  const imageOf = new Map(items.map((item) => [item.id, item.imageId]));
  const readable = verdicts.filter((verdict) => verdict.correct !== null);
  if (readable.length === 0) {
    throw new Error(
      `None of the judge's ${verdicts.length} replies is a verdict: look at their raw text in the journal.`,
    );
  }
  const correct = readable.filter((verdict) => verdict.correct).length;
  return {
    judged: readable.length,
    correct,
    unreadable: verdicts.length - readable.length,
    wilson: wilsonInterval(correct, readable.length),
    byImage: bootstrapInterval(
      readable.map((verdict) => Number(verdict.correct)),
      readable.map((verdict) => imageOf.get(verdict.id)!),
      "judge",
    ),
  };
}

/**
 * How far the judge's verdicts agree with known ones (a person's, another judge's, or ground truth at tiny scale).
 *
 * @param truth known verdict by item id; items without one, or without a readable verdict, do not count.
 * @throws when nothing is left to compare.
 */
export function judgeAgreement(
  verdicts: readonly JudgeVerdict[],
  truth: ReadonlyMap<string, boolean>,
): Agreement {
  const both = verdicts.filter((verdict) => verdict.correct !== null && truth.has(verdict.id));
  return cohenKappa(
    both.map((verdict) => String(verdict.correct)),
    both.map((verdict) => String(truth.get(verdict.id))),
  );
}
