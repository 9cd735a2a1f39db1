import { z } from "zod";
import { answerOf, type Endpoint, type Message, runJobs } from "@lib/llm/mod.ts";
import { GRADING_RULE, type JudgeOptions } from "@lib/evaluation/judge.ts";

/** Changes with every change of the words below. */
export const PAIR_PROMPT_VERSION = "judge-pair-1";

const INSTRUCTION = `You compare two answers of students to a question about a radiology image.
You are given the question, a reference answer written by an expert, and the answers A and B. You do not see the image: take the reference as true.
${GRADING_RULE}
Exactly one of the two answers is correct. Reply with one JSON object: {"better": "A" or "B"}.`;

const Choice = z.object({ better: z.enum(["A", "B"]) });

const CHOICE_SCHEMA = {
  name: "choice",
  schema: {
    type: "object",
    properties: { better: { type: "string", enum: ["A", "B"] } },
    required: ["better"],
    additionalProperties: false,
  },
};

/** Tokens of a choice. */
const MAX_TOKENS = 32;

/** Two answers to one question, one of them correct. */
export interface AnswerPair {
  /** Of the pair. */
  id: string;
  /** What was asked. */
  question: string;
  /** What an expert says. */
  reference: string;
  /** The correct answer. */
  right: string;
  /** The incorrect one. */
  wrong: string;
}

/** Which of the two places the judge chose, in both orders; null where its reply was no choice. */
export interface PairChoice {
  /** Of the pair. */
  id: string;
  /** With the right answer as A. */
  rightFirst: "A" | "B" | null;
  /** With the right answer as B. */
  rightSecond: "A" | "B" | null;
}

function pairMessages({ question, reference }: AnswerPair, a: string, b: string): Message[] {
  const shown = (answer: string) => answer.trim() || "(empty)";
  const content = `Question: ${question}\nReference answer: ${reference}\nAnswer A: ${shown(a)}\nAnswer B: ${
    shown(b)
  }`;
  return [{ role: "system", content: INSTRUCTION }, { role: "user", content }];
}

/** The last choice in a reply behind any reasoning; null if there is none. */
export function parseChoice(reply: string): "A" | "B" | null {
  const found = (answerOf(reply).match(/\{[^{}]*\}/g) ?? []).map((piece) => {
    try {
      return Choice.safeParse(JSON.parse(piece)).data?.better;
    } catch {
      return undefined;
    }
  });
  return found.findLast((choice) => choice !== undefined) ?? null;
}

/**
 * Has a language model choose the better answer of each pair, in both orders: two calls a pair, resumable through the journal.
 *
 * @throws as `runJobs`
 */
export async function judgePairs(
  pairs: readonly AnswerPair[],
  judge: Endpoint,
  { seed, temperature = 0, ...running }: JudgeOptions,
): Promise<PairChoice[]> {
  const job = (id: string, messages: Message[]) => ({
    id,
    request: { messages, schema: CHOICE_SCHEMA, seed, temperature, maxTokens: MAX_TOKENS },
  });
  const jobs = pairs.flatMap((pair) => [
    job(`${pair.id}#right first`, pairMessages(pair, pair.right, pair.wrong)),
    job(`${pair.id}#right second`, pairMessages(pair, pair.wrong, pair.right)),
  ]);
  const choices = (await runJobs(judge, jobs, running)).map(({ completion }) =>
    parseChoice(completion?.text ?? "")
  );
  return pairs.map(({ id }, i) => ({ id, rightFirst: choices[2 * i], rightSecond: choices[2 * i + 1] }));
}
