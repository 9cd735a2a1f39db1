import { rng } from "../config/mod.ts";
import { type Completion, type Job, type Message } from "../llm/mod.ts";
import type { Candidate } from "./filters.ts";
import type { QaPair } from "./pair.ts";

/** Version of the prompt below; a changed wording gets a new one. */
export const VERIFY_VERSION = "verify-v1";

const RULES =
  "You check exam questions about radiology images. You get what is known about one image, a question and its answer. " +
  "Say whether what is known supports the answer. Anything that it does not say is unsupported. Reply with JSON.";

const EXAMPLES: readonly [known: string, question: string, answer: string, verdict: Verdict][] = [
  [
    "Caption: ultrasound of the neck with a mass in the left thyroid",
    "Which organ is affected?",
    "thyroid",
    "supported",
  ],
  [
    "Caption: radiograph of the pelvis showing a fracture of the right femur",
    "Which side is affected?",
    "left",
    "unsupported",
  ],
  [
    "Caption: a tumor is seen in the left humerus on pet of the shoulder",
    "Is there a stone?",
    "no",
    "supported",
  ],
  [
    "Caption: ultrasound of the neck with a mass in the left thyroid",
    "What kind of lesion can be seen?",
    "calcified cyst",
    "unsupported",
  ],
];

type Verdict = "supported" | "unsupported";

/** The messages that ask the teacher whether what it was told about an image supports a pair. */
export function verifyMessages(
  known: string,
  { question, answer }: Pick<QaPair, "question" | "answer">,
): Message[] {
  const asked = (known: string, question: string, answer: string) =>
    `${known}\nQuestion: ${question}\nAnswer: ${answer}`;
  return [
    { role: "system", content: RULES },
    ...EXAMPLES.flatMap(([known, question, answer, verdict]): Message[] => [
      { role: "user", content: asked(known, question, answer) },
      { role: "assistant", content: JSON.stringify({ verdict }) },
    ]),
    { role: "user", content: asked(known, question, answer) },
  ];
}

const SCHEMA = {
  name: "verdict",
  schema: {
    type: "object",
    properties: { verdict: { type: "string", enum: ["supported", "unsupported"] } },
    required: ["verdict"],
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

/** The verdict in a reply, with or without JSON; null if there is not exactly one. */
export function readVerdict({ text }: Pick<Completion, "text">): Verdict | null {
  const said = text.toLowerCase().replace(/\bnot supported\b/g, "unsupported").match(/\b(un)?supported\b/g);
  const [verdict, ...others] = new Set(said);
  return verdict && others.length === 0 ? verdict as Verdict : null;
}
