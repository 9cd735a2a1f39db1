import { join } from "@std/path";
import { z } from "zod";
import { type Config, sha256 } from "../../config/mod.ts";
import { decodeImage, doubtsAbout, encodePng, resizeBicubic } from "../../image/mod.ts";
import { fillPage, oneLine } from "../../jupyter/mod.ts";
import { answerPrompts, imageStore, type OpenModel } from "../../model/mod.ts";
import { answerMaps } from "../../saliency/mod.ts";
import { encodeExample, questionPrefix } from "../../text/mod.ts";
import { chatCompletion, ChatError, chatEvents, newPiece, readChat } from "./chat.ts";
import { type ServedAnswer, servedAnswer, type ServedModel } from "./served_models.ts";
import { takeTurns } from "./turns.ts";

export interface ServeOptions {
  /** Base model first. */
  models: readonly ServedModel[];
  opened: Pick<OpenModel, "tokenizer" | "card">;
  config: Config;
  /** What requests must carry as their bearer token. */
  token: string;
  /** A folder for the images that are asked about, each while it is asked about. */
  folder: string;
}

/** Bytes of a request: an image of 24 MB in base64. */
const MAX_BODY = 32 * 2 ** 20;
/** Requests that may wait for the model, which answers one at a time. */
const MAX_WAITING = 16;
/** Questions of one request of the page. */
const MAX_QUESTIONS = 20;
/** Longer side of the picture that the page shows. */
const SHOWN = 448;

/** What the page asks. */
const PageRequest = z.strictObject({
  image: z.base64().min(1),
  questions: z.array(z.string().trim().min(1).max(2000)).min(1).max(MAX_QUESTIONS),
});

/** What one model says to one question of the page. */
export interface PageAnswer extends Omit<ServedAnswer, "said"> {
  text: string;
  maps: { raw: number[]; rollout: number[]; rows: number; columns: number };
}

/** A line of what the page is answered: the picture first, then every model's answers as they grow. */
type PageLine =
  | { picture: string; notes: string[] }
  | { question: number; model: string; soFar: string }
  | { question: number; model: string; answer: PageAnswer }
  | { error: string };

/**
 * The server's answers: the page at /, /api/ask for it, and /v1/models and /v1/chat/completions as OpenAI's. Everything but the
 * empty page wants the token; requests for another host, from another page, or in another form than JSON are refused; the model
 * answers one request at a time.
 */
export async function serveHandler(
  { models, opened: { tokenizer, card }, config, token, folder }: ServeOptions,
): Promise<(request: Request) => Promise<Response>> {
  const page = await fillPage(import.meta.dirname!, "serve_page", {
    models: models.map(({ name }) => name),
    notice: card.notice === null ? null : oneLine(card.notice),
  }, { servers: "'self'" });
  const size = models[0].model.config.vision.imageSize;
  const { inTurn, streamed } = takeTurns(MAX_WAITING);

  /** Gives `body` the image as a file, which is removed afterwards. */
  async function withImage<T>(
    bytes: Uint8Array<ArrayBuffer>,
    body: (path: string) => Promise<T>,
  ): Promise<T> {
    const path = join(folder, `${sha256(bytes)}-${crypto.randomUUID()}`);
    await Deno.writeFile(path, bytes, { mode: 0o600 });
    try {
      return await body(path);
    } finally {
      await Deno.remove(path);
    }
  }

  /** What the model reads of a question. @throws {ChatError} for one that it cannot read, such as one that is too long */
  function prefixOf(question: string): string {
    try {
      const prefix = questionPrefix({ question });
      encodeExample(tokenizer, models[0].model.config, { prefix });
      return prefix;
    } catch (error) {
      throw new ChatError(400, (error as Error).message, "messages");
    }
  }

  async function chat(body: unknown): Promise<Response> {
    const asked = readChat(body), { temperature, seed, answers: count, topP, maxTokens } = asked;
    const served = models.find(({ name }) => name === asked.model);
    if (!served) {
      const names = models.map(({ name }) => name).join(", ");
      throw new ChatError(404, `There is no model "${asked.model}"; expected ${names}.`, "model");
    }
    const prefix = prefixOf(asked.question), seeds = Array.from({ length: count }, (_, i) => (seed + i) | 0);
    const drawn = temperature > 0 ? { temperature, topP } : {};
    const answersTo = async (imagePath: string, onText?: (texts: string[]) => Promise<void>) => {
      const prompt = { imagePath, prefix, ...(temperature > 0 ? { seeds } : {}) };
      const [answers] = await answerPrompts(served.model, tokenizer, imageStore(size), [prompt], {
        ...{ maxNewTokens: maxTokens, batchSize: 1, ...drawn },
        ...(onText ? { onText: ([texts]) => onText(texts) } : {}),
      });
      return answers;
    };
    if (!asked.stream) {
      return await inTurn(() =>
        withImage(asked.image, async (imagePath) => {
          await pixelsOf(imagePath);
          return Response.json(chatCompletion(served.name, await answersTo(imagePath)));
        })
      );
    }
    const events = chatEvents(served.name);
    return await streamed(
      "text/event-stream",
      (error) => events.failed(failure(error).message),
      (begin) =>
        withImage(asked.image, async (imagePath) => {
          await pixelsOf(imagePath);
          const send = begin(), sent = new Array<string>(count).fill("");
          const sendNew = async (texts: readonly string[], ends = false) => {
            for (const [i, text] of texts.entries()) {
              const piece = newPiece(sent[i], text, ends);
              if (piece === "") continue;
              sent[i] += piece;
              await send(events.piece(i, piece));
            }
          };
          for (let i = 0; i < count; i++) await send(events.begin(i));
          const answers = await answersTo(imagePath, sendNew);
          await sendNew(answers.map(({ text }) => text), true);
          for (const [i, answer] of answers.entries()) await send(events.end(i, answer));
          await send(events.done);
        }),
    );
  }

  async function ask(body: unknown): Promise<Response> {
    const read = PageRequest.safeParse(body);
    if (!read.success) throw new ChatError(400, z.prettifyError(read.error));
    const questions = read.data.questions.map((question) => ({ question, prefix: prefixOf(question) }));
    const line = (value: PageLine) => `${JSON.stringify(value)}\n`;
    return await streamed(
      "application/x-ndjson",
      (error) => line({ error: failure(error).message }),
      (begin) =>
        withImage(Uint8Array.fromBase64(read.data.image), async (imagePath) => {
          const image = await pixelsOf(imagePath), shrink = SHOWN / Math.max(image.width, image.height);
          const side = (pixels: number) => Math.max(1, Math.round(pixels * shrink));
          const shown = await encodePng(resizeBicubic(image, side(image.width), side(image.height)));
          const send = begin(),
            store = imageStore(size),
            notes = [...image.notes ?? [], ...doubtsAbout(image)];
          await send(line({ picture: `data:image/png;base64,${shown.toBase64()}`, notes }));
          for (const [question, { prefix }] of questions.entries()) {
            for (const served of models) {
              const at = { question, model: served.name }, prompt = { imagePath, prefix };
              const onText = (soFar: string) => send(line({ ...at, soFar }));
              const { said, ...answer } = await servedAnswer(served, tokenizer, store, prompt, config, {
                onText,
              });
              const maps = answerMaps(said), { rows, columns } = said.layout;
              const shownMaps = {
                raw: [...maps["raw attention"]],
                rollout: [...maps.rollout],
                rows,
                columns,
              };
              await send(line({ ...at, answer: { ...answer, text: said.text, maps: shownMaps } }));
            }
          }
        }),
    );
  }

  return async (request) => {
    const { pathname } = new URL(request.url), host = request.headers.get("host") ?? "";
    const origin = request.headers.get("origin");
    try {
      if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) {
        throw new ChatError(403, "This server answers to 127.0.0.1 only.");
      }
      if (origin !== null && origin !== `http://${host}`) {
        throw new ChatError(403, "This server answers to its own page only.");
      }
      if (pathname === "/" && request.method === "GET") {
        return new Response(page, { headers: { "content-type": "text/html; charset=utf-8", ...GUARD } });
      }
      if (request.headers.get("authorization") !== `Bearer ${token}`) {
        throw new ChatError(
          401,
          "The key is missing or wrong: it stands behind the # of the address that was printed.",
        );
      }
      if (pathname === "/v1/models" && request.method === "GET") {
        const data = models.map(({ name: id }) => ({ id, object: "model", created: 0, owned_by: "here" }));
        return Response.json({ object: "list", data });
      }
      const task = { "/v1/chat/completions": chat, "/api/ask": ask }[pathname];
      if (!task) throw new ChatError(404, `There is nothing at ${pathname}.`);
      if (request.method !== "POST") throw new ChatError(405, `${pathname} takes POST only.`);
      const body = await bodyOf(request);
      return await task(body);
    } catch (error) {
      const { status, message, param } = error instanceof ChatError ? error : failure(error);
      const type = status === 429
        ? "rate_limit_error"
        : status === 500
        ? "server_error"
        : "invalid_request_error";
      const headers: HeadersInit = status === 429 ? { "retry-after": "5" } : {};
      return Response.json({ error: { message, type, param, code: null } }, { status, headers });
    }
  };
}

const GUARD = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** What is said of a fault that is not the request's. */
function failure(error: unknown): ChatError {
  console.error(error);
  return new ChatError(500, "The model failed: the terminal in which ./lab serve runs says why.");
}

/** The picture. @throws {ChatError} if it cannot be decoded */
const pixelsOf = (path: string) =>
  decodeImage(path).catch((error) => {
    throw new ChatError(
      400,
      `The image cannot be read: ${(error as Error).message.replaceAll(path, "it")}`,
      "messages",
    );
  });

/** @throws {ChatError} if the body is not JSON, or longer than a request may be */
async function bodyOf(request: Request): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers.get("content-type") ?? "")) {
    throw new ChatError(415, "Expected a body of type application/json.");
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      if ((length += chunk.length) > MAX_BODY) {
        throw new ChatError(413, `A request has at most ${MAX_BODY} bytes.`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof ChatError ? error : new ChatError(400, "The body has not come to its end.");
  }
  try {
    return JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(await new Blob(chunks as BlobPart[]).arrayBuffer()),
    );
  } catch {
    throw new ChatError(400, "The body is not JSON.");
  }
}
