import { z } from "zod";
import { decodeImage, encodePng, resizeBicubic } from "../image/mod.ts";
import {
  answerOf,
  type Endpoint,
  isAnswer,
  type Job,
  type JobProgress,
  type Message,
  runJobs,
} from "../llm/mod.ts";
import type { TestItems, TestSet } from "./cells.ts";
import type { GivenAnswers } from "./item_scores.ts";
import { answerSeed, type AskedItem, Prediction } from "./records.ts";

/** Changes with every change of the words below. */
export const VISION_PROMPT_VERSION = "vision-1";

/** Longer side, in pixels, of the images that a server is sent: more than any model of the paper reads. */
const LONGER_SIDE = 1024;

/** Tokens of an answer; a model that reasons gets `Endpoint.reasoningTokens` on top. */
const MAX_TOKENS = 128;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** What a model that follows instructions is asked, in words: PaliGemma's own prefix means nothing to others. */
export function visionPrompt({ question, choices, answerType }: AskedItem, open: boolean): string {
  if (choices) {
    const options = choices.map((choice, i) => `${LETTERS[i]}: ${choice}`).join("\n");
    return `${question}\n${options}\nAnswer with the letter of the right option only.`;
  }
  if (open) return `${question}\nAnswer in one sentence.`;
  return `${question}\n${
    answerType === "closed"
      ? "Answer yes or no, or with the word asked for, only."
      : "Answer in one to three words."
  }`;
}

/** What stands for "no image": grey, of the paper's size. */
const grey = () => encodePng({ width: 448, height: 448, data: new Uint8Array(3 * 448 * 448).fill(128) });

/** An image as a chat message carries it: PNG, its longer side at most 1,024 pixels. */
async function dataUri(path: string): Promise<string> {
  const image = await decodeImage(path), shrink = LONGER_SIDE / Math.max(image.width, image.height);
  const side = (pixels: number) => Math.max(1, Math.round(pixels * shrink));
  const sent = shrink < 1 ? resizeBicubic(image, side(image.width), side(image.height)) : image;
  return pngUri(await encodePng(sent));
}

const pngUri = (png: Uint8Array) => `data:image/png;base64,${png.toBase64()}`;

/** How a server is asked. */
export interface AskServerOptions {
  /** Answers per item: one is greedy, more are drawn at `temperature`. */
  runs: number;
  /** Of the answers; 0 is greedy. */
  temperature: number;
  /** What the seeds of the answers are made from (`answerSeed`). */
  seed: number;
  /** Requests in flight. */
  concurrency: number;
  /** Replies are kept here; a second call asks only for what is missing. */
  journalPath: string;
  /** Open questions: answers are sentences. */
  open?: boolean;
  /** A grey picture in place of every image (a control). */
  blankImages?: boolean;
  /** Called after every reply. */
  onProgress?: (progress: JobProgress) => void;
  /** Ends the asking; the replies so far stay. */
  signal?: AbortSignal;
}

/**
 * Answers of a vision model behind an OpenAI-compatible server, resumable through the journal: image (as a data URI) and
 * question in one message. Every answer has a seed of its own, from that of the options, its item and its run. A refusal and an
 * empty reply are empty answers, which count as wrong.
 *
 * @throws as `runJobs`; naming the first failure, where requests have failed otherwise: run again, what was answered is kept
 */
export async function askServer(
  endpoint: Endpoint,
  items: readonly AskedItem[],
  { runs, temperature, seed, open = false, blankImages = false, ...options }: AskServerOptions,
): Promise<Prediction[]> {
  const uris = new Map<string, string>(), blank = blankImages ? pngUri(await grey()) : undefined;
  const jobs: Job[] = [], asked: Pick<Prediction, "id" | "run" | "seed">[] = [];
  for (const item of items) {
    options.signal?.throwIfAborted();
    const url = blank ?? uris.get(item.imagePath) ?? await dataUri(item.imagePath);
    uris.set(item.imagePath, url);
    const messages: Message[] = [{
      role: "user",
      content: [{ type: "image_url", image_url: { url } }, { type: "text", text: visionPrompt(item, open) }],
    }];
    for (let run = 0; run < runs; run++) {
      const own = answerSeed(seed, item.id, run);
      asked.push({ id: item.id, run, seed: runs > 1 ? own : null });
      jobs.push({
        id: `${item.id}#${run}`,
        noThirdParty: item.noThirdParty,
        request: { messages, seed: own, temperature: runs > 1 ? temperature : 0, maxTokens: MAX_TOKENS },
      });
    }
  }
  const outcomes = await runJobs(endpoint, jobs, options);
  const failed = outcomes.filter(({ reason }) => reason !== undefined && !isAnswer(reason));
  if (failed.length > 0) {
    throw new Error(
      `Expected answers to ${jobs.length} requests, found ${failed.length} that failed (the first: ${
        failed[0].error
      }); the others are kept: run again.`,
    );
  }
  return outcomes.map(({ completion, reason }, i) => ({
    ...asked[i],
    answer: completion ? answerOf(completion.text).trim() : "",
    cut: completion ? completion.finishReason === "length" : reason === "cut",
  }));
}

/** Answers that other software gave. */
const Line = z.object({ ...Prediction.shape, run: Prediction.shape.run.default(0) });

/**
 * Predictions from JSON lines: `{"id", "answer"}`, and where there are several answers to an item `"run"` from 0; `"seed"` and
 * `"cut"` may be given, other fields are passed over.
 *
 * @throws naming the first line that is not a prediction
 */
export function readPredictions(text: string): Prediction[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/).map((line, i) => ({ line, number: i + 1 })).filter(
    ({ line }) => line.trim(),
  );
  if (lines.length === 0) {
    throw new Error('Expected JSON lines such as {"id": "...", "answer": "..."}; found none.');
  }
  return lines.map(({ line, number }) => {
    try {
      return Line.parse(JSON.parse(line));
    } catch (error) {
      const found = error instanceof z.ZodError ? z.prettifyError(error).replaceAll(/\s+/g, " ") : "no JSON";
      throw new Error(`Line ${number}: expected {"id": "...", "answer": "..."} in JSON; found ${found}.`);
    }
  });
}

/** What is asked, by test set. */
export type Questions = readonly (readonly [TestSet, TestItems])[];

const KINDS = ["short", "open"] as const;

/** The questions as others are given them: never with an answer. */
export function questionLines(questions: Questions): string {
  const lines = questions.flatMap(([testSet, items]) =>
    KINDS.flatMap((kind) =>
      items[kind].map((item) => ({
        id: item.id,
        test_set: testSet,
        kind,
        image: item.imagePath,
        question: item.question,
        choices: item.choices,
        prompt: visionPrompt(item, kind === "open"),
      }))
    )
  );
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/**
 * Predictions by test set; a kind of which none is answered is left out.
 *
 * @throws naming the first prediction about no question
 */
export function sortPredictions(
  predictions: readonly Prediction[],
  questions: Questions,
): [TestSet, GivenAnswers][] {
  const placeOf = new Map<string, string>();
  for (const [testSet, items] of questions) {
    for (const kind of KINDS) for (const { id } of items[kind]) placeOf.set(id, `${testSet} ${kind}`);
  }
  const stray = predictions.find(({ id }) => !placeOf.has(id));
  if (stray) {
    throw new Error(
      `A prediction is about "${stray.id}", which is none of the questions asked for: ./lab evaluate --questions FILE lists them, with the same --sets and --set.`,
    );
  }
  const groups = Map.groupBy(predictions, ({ id }) => placeOf.get(id)!);
  return questions.flatMap(([testSet]): [TestSet, GivenAnswers][] => {
    const [short, open] = KINDS.map((kind) => groups.get(`${testSet} ${kind}`) ?? []);
    return short.length + open.length > 0 ? [[testSet, { short, open, blank: [], shuffled: [] }]] : [];
  });
}
