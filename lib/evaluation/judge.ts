import { z } from "zod";
import {
  answerOf,
  type Endpoint,
  type JobProgress,
  type Message,
  type Parameter,
  runJobs,
} from "../llm/mod.ts";
import { isChinese } from "../stats/mod.ts";
import { answersByItem, type EvaluationItem, type Prediction } from "./records.ts";

/** Changes with every change of the words below, so that verdicts say which prompt they come from. */
export const JUDGE_PROMPT_VERSION = "judge-3";

/** What counts as correct, for the judge and for a person who grades the same answers. */
export const GRADING_RULE =
  `The student's answer is correct if it states the same finding, structure, side, diagnosis or value as the reference. Other words, extra detail that agrees with the reference and differences of style are fine.
It is incorrect if it contradicts the reference, names something else, leaves out what was asked, or is empty.`;

const INSTRUCTION = `You grade answers to questions about radiology images.
You are given a question, a reference answer written by an expert, and the answer of a student. You do not see the image: take the reference as true.
${GRADING_RULE}
Reply with one JSON object: {"correct": true or false, "reason": one short sentence}.`;

/** Added where question or reference is Chinese; a judge that is told nothing may take another language for an error. */
const IN_CHINESE =
  "\nQuestion, reference and answer are in Chinese. Grade them as they are; write the reason in English.";

const Verdict = z.object({ correct: z.boolean(), reason: z.string().default("") });

/** Tokens of a verdict: room for its reason, even at a token a character. */
const MAX_TOKENS = 128;

const VERDICT_SCHEMA = {
  name: "verdict",
  schema: {
    type: "object",
    properties: { correct: { type: "boolean" }, reason: { type: "string", maxLength: 80 } },
    required: ["correct", "reason"],
    additionalProperties: false,
  },
};

/** What the judge said about one answer. One without a readable verdict counts as wrong, in the accuracy and in agreement. */
export interface JudgeVerdict {
  /** Id of the item. */
  id: string;
  /** Which of the answers to it, from 0. */
  run: number;
  /** Null where the reply was no verdict, or the request failed. */
  correct: boolean | null;
  /** What the judge says of it. */
  reason: string;
  /** The reply as it came; "" where the request failed. */
  raw: string;
  /** The reply was cut at the token limit before there was a verdict. */
  cut: boolean;
  /** Why there is no verdict: the request failed, or its reply holds none; null where there is one. */
  error: string | null;
  /** What the server refuses of the requests: without temperature, verdicts are not greedy. */
  refused: Parameter[];
  /** The judge. */
  model: string;
  /** Version of its prompt. */
  prompt: string;
}

/** The judge's messages for one answer (paper figure 10, in our own words). */
export function judgeMessages(item: EvaluationItem, answer: string): Message[] {
  const chinese = isChinese(item.question) || isChinese(item.answer);
  return [
    { role: "system", content: chinese ? INSTRUCTION + IN_CHINESE : INSTRUCTION },
    {
      role: "user",
      content: `Question: ${item.question}\nReference answer: ${item.answer}\nStudent's answer: ${
        answer.trim() || "(empty)"
      }`,
    },
  ];
}

/**
 * Reads a verdict out of a reply: the last one behind any reasoning, or that of a reply that was cut within its reason.
 * Null if there is none.
 */
export function parseVerdict(reply: string): { correct: boolean; reason: string } | null {
  const text = answerOf(reply);
  const whole = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  const flat = text.match(/\{[^{}]*\}/g) ?? [];
  const verdict = [whole, ...flat.reverse()].map(verdictIn).find((found) => found !== null);
  if (verdict) return verdict;
  const begun = /\{\s*"correct"\s*:\s*(true|false)\s*,[^{}]*$/.exec(text);
  return begun && { correct: begun[1] === "true", reason: "" };
}

function verdictIn(piece: string): z.infer<typeof Verdict> | null {
  try {
    return Verdict.safeParse(JSON.parse(piece)).data ?? null;
  } catch {
    return null;
  }
}

/** How a judge is asked. */
export interface JudgeOptions {
  /** Where replies are kept. */
  journalPath: string;
  /** Requests in flight at once. */
  concurrency: number;
  /** Sent with every request. */
  seed: number;
  /** 0, if not said otherwise: the likeliest reply. */
  temperature?: number;
  /** Called after every reply. */
  onProgress?: (progress: JobProgress) => void;
  /** Ends the asking. */
  signal?: AbortSignal;
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
  options: JudgeOptions,
): Promise<JudgeVerdict[]> {
  const { seed, temperature = 0, ...running } = options;
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
        seed,
        temperature,
        maxTokens: MAX_TOKENS,
      },
    })),
    running,
  );
  return outcomes.map((outcome, i) => {
    const { completion } = outcome, raw = completion?.text ?? "";
    const verdict = parseVerdict(raw);
    const cut = !verdict && (outcome.reason === "cut" || completion?.finishReason === "length");
    const none = cut ? "the reply was cut at the token limit before a verdict" : "the reply holds no verdict";
    return {
      id: predictions[i].id,
      run: predictions[i].run,
      correct: verdict?.correct ?? null,
      reason: verdict?.reason ?? "",
      raw,
      cut,
      error: outcome.error ?? (verdict ? null : none),
      refused: completion?.refused ?? [],
      model: completion?.model ?? judge.model,
      prompt: JUDGE_PROMPT_VERSION,
    };
  });
}
