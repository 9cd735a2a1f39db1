import { rng } from "../config/mod.ts";
import { answerOf, type Completion, type Job, type Message } from "../llm/mod.ts";
import type { Candidate } from "./filters.ts";
import type { QaPair } from "./pair.ts";

/**
 * Version of the prompt below; a changed wording gets a new one. (v1 asked for the words "supported" or "unsupported":
 * SmolLM2-135M then calls every pair unsupported, whatever the order of the examples.)
 */
const VERIFY_VERSION = "verify-v2";

const RULES =
  "You check exam questions about radiology images. You get what is known about one image, a question and its answer. " +
  "Say yes if what is known supports the answer, and no if it does not, or says nothing about it. Reply with JSON.";

const EXAMPLES: readonly [known: string, question: string, answer: string, supported: "yes" | "no"][] = [
  ["ultrasound of the neck with a mass in the left thyroid", "Which organ is affected?", "thyroid", "yes"],
  ["radiograph of the pelvis showing a fracture of the right femur", "Which side is affected?", "left", "no"],
  ["a tumor is seen in the left humerus on pet of the shoulder", "Is there a stone?", "no", "yes"],
  ["ultrasound of the neck with a mass in the left thyroid", "Is there a stone?", "yes", "no"],
];

/** The messages that ask the teacher whether what it was told about an image supports a pair. */
function verifyMessages(
  known: string,
  { question, answer }: Pick<QaPair, "question" | "answer">,
): Message[] {
  const asked = (known: string, question: string, answer: string) =>
    `${known}\nQuestion: ${question}\nAnswer: ${answer}`;
  return [
    { role: "system", content: RULES },
    ...EXAMPLES.flatMap(([caption, question, answer, supported]): Message[] => [
      { role: "user", content: asked(`Caption: ${caption}`, question, answer) },
      { role: "assistant", content: JSON.stringify({ supported }) },
    ]),
    { role: "user", content: asked(known, question, answer) },
  ];
}

const SCHEMA = {
  name: "check",
  schema: {
    type: "object",
    properties: { supported: { type: "string", enum: ["yes", "no"] } },
    required: ["supported"],
    additionalProperties: false,
  },
};

/** The request that checks a pair; greedy, since there is one right answer. */
export function verifyJob({ pair, known }: Candidate, seed: number): Job {
  const random = rng(`verify/${seed}/${pair.id}`);
  const request = {
    messages: verifyMessages(known, pair),
    schema: SCHEMA,
    seed: Math.floor(random() * 2 ** 31),
    temperature: 0,
    maxTokens: 16,
  };
  return { id: `${pair.id}#${VERIFY_VERSION}`, request, noThirdParty: pair.noThirdParty };
}

/** The verdict in a reply: its only yes or no behind any reasoning, with or without JSON; null if none, or both. */
export function readVerdict({ text }: Pick<Completion, "text">): "supported" | "unsupported" | null {
  const [said, ...others] = new Set(answerOf(text).toLowerCase().match(/\b(yes|no)\b/g));
  return said && others.length === 0 ? said === "yes" ? "supported" : "unsupported" : null;
}
