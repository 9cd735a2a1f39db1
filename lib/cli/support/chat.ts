import { z } from "zod";

/** Why a request is not answered, as OpenAI-compatible servers say it. */
export class ChatError extends Error {
  constructor(readonly status: number, message: string, readonly param: string | null = null) {
    super(message);
  }
}

const Part = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string() }),
  z.strictObject({
    type: z.literal("image_url"),
    image_url: z.strictObject({ url: z.string(), detail: z.string().optional() }),
  }),
]);

const Message = z.strictObject({
  role: z.string(),
  content: z.union([z.string(), z.array(Part)]),
  name: z.string().optional(),
});

/** More tokens than any answer of the model has. */
const MAX_TOKENS = 256;
const tokens = z.int().min(1).max(MAX_TOKENS).nullish();

/** What of a chat completion's request is understood; a field that would change an answer and is not here is refused. */
const ChatRequest = z.strictObject({
  model: z.string(),
  messages: z.array(Message).min(1),
  temperature: z.union([z.literal(0), z.number().min(1e-6).max(2)]).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().min(-(2 ** 31)).max(2 ** 31 - 1).nullish(),
  n: z.int().min(1).max(16).nullish(),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  stream: z.boolean().nullish(),
  // These say nothing about the answer, or that nothing is to be changed.
  user: z.string().optional(),
  metadata: z.unknown().optional(),
  store: z.literal(false).nullish(),
  stream_options: z.unknown().optional(),
  logprobs: z.literal(false).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  response_format: z.strictObject({ type: z.literal("text") }).optional(),
});

/** A question about one image, as the model is asked it. */
export interface ChatQuestion {
  model: string;
  question: string;
  /** The image's file. */
  image: Uint8Array<ArrayBuffer>;
  /** 0: greedy. */
  temperature: number;
  topP?: number;
  seed: number;
  answers: number;
  maxTokens: number;
  stream: boolean;
}

/** Bytes of a data URI. @throws {ChatError} */
function imageOf(url: string): Uint8Array<ArrayBuffer> {
  const param = "messages";
  const [, data] = /^data:[\w.+-]+\/[\w.+-]+;base64,([A-Za-z0-9+/=\s]+)$/.exec(url) ?? [];
  if (data === undefined) {
    throw new ChatError(
      400,
      "image_url: expected a data URI in base64; nothing is fetched from elsewhere.",
      param,
    );
  }
  try {
    return Uint8Array.fromBase64(data);
  } catch {
    throw new ChatError(400, "image_url: this is not base64.", param);
  }
}

/**
 * A chat completion's request as a question: one user message with one image and a text.
 *
 * @throws {ChatError} naming what is not supported: other roles (the model has neither a system prompt nor a conversation), several
 * images or none, and fields that the model cannot do
 */
export function readChat(body: unknown): ChatQuestion {
  const read = ChatRequest.safeParse(body);
  if (!read.success) {
    const [{ message, path }] = read.error.issues, param = path.join(".");
    throw new ChatError(400, `${param || "The request"}: ${message}.`, param || null);
  }
  const { model, messages, temperature, top_p, seed, n, max_tokens, max_completion_tokens, stream } =
    read.data;
  if (messages.length !== 1 || messages[0].role !== "user") {
    const roles = messages.map(({ role }) => role).join(", ");
    throw new ChatError(
      400,
      `Expected one message of role "user", found ${roles}: this model knows no system prompt and no conversation.`,
      "messages",
    );
  }
  const { content } = messages[0];
  const parts = typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
  const images = parts.flatMap((part) => part.type === "image_url" ? [part.image_url.url] : []);
  const question = parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n").trim();
  if (images.length !== 1 || question === "") {
    const found = `${images.length} images and ${question === "" ? "no text" : "a text"}`;
    throw new ChatError(400, `Expected one image and a question, found ${found}.`, "messages");
  }
  if ((n ?? 1) > 1 && !temperature) {
    throw new ChatError(400, "Several answers need a temperature above 0.", "n");
  }
  return {
    ...{ model, question, image: imageOf(images[0]), temperature: temperature ?? 0 },
    ...(typeof top_p === "number" && top_p < 1 ? { topP: top_p } : {}),
    seed: seed ?? crypto.getRandomValues(new Int32Array(1))[0],
    answers: n ?? 1,
    maxTokens: max_completion_tokens ?? max_tokens ?? MAX_TOKENS,
    stream: stream ?? false,
  };
}

/** An answer as the model gave it. */
export interface ChatAnswer {
  text: string;
  /** Ended by itself, rather than at the token limit. */
  ended: boolean;
}

/** The answers as a chat completion. */
export function chatCompletion(model: string, answers: readonly ChatAnswer[]) {
  return {
    ...head(model, "chat.completion"),
    choices: answers.map(({ text, ended }, index) => ({
      index,
      message: { role: "assistant", content: text, refusal: null },
      logprobs: null,
      finish_reason: ended ? "stop" : "length",
    })),
  };
}

/** The same as server-sent events, each of which is a piece of an answer, or its end. */
export function chatEvents(model: string) {
  const shared = head(model, "chat.completion.chunk");
  const event = (index: number, delta: object, finish_reason: string | null) =>
    `data: ${JSON.stringify({ ...shared, choices: [{ index, delta, finish_reason }] })}\n\n`;
  return {
    begin: (index: number) => event(index, { role: "assistant", content: "" }, null),
    piece: (index: number, content: string) => event(index, { content }, null),
    end: (index: number, { ended }: ChatAnswer) => event(index, {}, ended ? "stop" : "length"),
    failed: (message: string) => `data: ${JSON.stringify({ error: { message, type: "server_error" } })}\n\n`,
    done: "data: [DONE]\n\n",
  };
}

/**
 * What an answer has more than what was sent of it; until it `ends`, a character that is not complete yet waits.
 *
 * @throws at its end, if it does not begin with what was sent: bytes that are no whole character spoil those beside them
 */
export function newPiece(sent: string, text: string, ends = false): string {
  const whole = ends ? text : text.replace(/\uFFFD+$/, "");
  if (whole.startsWith(sent)) return whole.slice(sent.length);
  if (ends) {
    throw new Error(`The answer is ${JSON.stringify(text)}, but ${JSON.stringify(sent)} was sent of it.`);
  }
  return "";
}

const head = (model: string, object: string) => ({
  id: `chatcmpl-${crypto.randomUUID()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});
