import { encodePng } from "../image/mod.ts";
import { answerPrompts, type ImageStore, type Model } from "../model/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";
import { captureAnswer, type CapturedAnswer } from "./capture.ts";
import { type SequenceLayout, tokenToImage, withoutSinks } from "./directions.ts";
import { fuseHeads, type LayerAttention } from "./matrices.ts";

/** A page of the explorer has this many bytes at most. */
export const MAX_PAGE_BYTES = 5e6;
/** Of those, what is left for texts, script and style. */
const FOR_TEXTS = 3e5;
/** Maps of every model beside those of single layers: raw attention, rollout twice, gradient × attention. */
const WHOLE = 4;

/** How a map is made. */
export type ExplorerMethod = "raw attention" | "rollout" | "gradient × attention";
/** Whether weight on bos and newline counts. */
export type Sinks = "left out" | "left in";

/** Weights of every token over all patches: byte * scale of the token, which is at most half a scale away. */
export interface ExplorerMap {
  /** How it is made. */
  method: ExplorerMethod;
  /** From 0; "mean" over all layers and heads. */
  layer: number | "mean";
  /** The same. */
  head: number | "mean";
  /** Base64 of `[tokens * patches]`: 255 is the largest weight of the token. */
  bytes: string;
  /**
   * `[tokens]`, for each treatment of bos and newline that these bytes serve. Of raw attention one is a multiple of the
   * other; gradient × attention has no sinks to leave out.
   */
  scales: Partial<Record<Sinks, number[]>>;
}

/** One model's reading of the answer. */
export interface ExplorerModel {
  /** Which it is, as a person reads it. */
  name: string;
  /** Its own greedy answer, which need not be the one that is read. */
  says: string;
  /** Of the tokens of the answer that is read, in nats. */
  logprobs: number[];
  /** What was kept. */
  maps: ExplorerMap[];
}

/** An image and a question, with one answer as all models read it: what the page holds. */
export interface ExplorerExample {
  /** Id of the image. */
  imageId: string;
  /** What is asked. */
  question: string;
  /** The true answer. */
  reference: string;
  /** The last model's own answer. */
  answer: string;
  /** What the models see, as a data URI (PNG). */
  picture: string;
  /** Rows of patches. */
  rows: number;
  /** Columns of patches. */
  columns: number;
  /** Every token but those of the image, in order. */
  tokens: { text: string; part: "bos" | "question" | "newline" | "answer" }[];
  /** Layers of the language model. */
  layers: number;
  /** Heads of a layer. */
  heads: number;
  /** Whose maps there are, in the order of the page. */
  models: ExplorerModel[];
}

/** Layers that are kept alone, as the mean over their heads, and those of them that are kept head by head, from 0. */
export interface KeptLayers {
  alone: number[];
  byHead: number[];
}

/** `count` of n numbers from 0, evenly spread, the last one among them. */
const spread = (n: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.round((i + 1) * n / count) - 1);

/**
 * Which layers of a model are kept: each alone as far as `most` maps reach, and where all are, as many of them by head as
 * still fit; evenly spread, the last layer always the first to be chosen.
 */
export function keptLayers(layers: number, heads: number, most: number): KeptLayers {
  const room = Math.max(0, Math.floor(most)), alone = spread(layers, Math.min(layers, room));
  const byHead = heads > 1 && alone.length === layers
    ? spread(layers, Math.min(layers, Math.floor((room - layers) / heads)))
    : [];
  return { alone, byHead };
}

/** How many maps of single layers each model may have, on a page that `share` examples of this size fill. */
export function mapsThatFit(
  { tokens, patches, models, picture, share }: {
    tokens: number;
    patches: number;
    models: number;
    /** Characters of the picture's data URI. */
    picture: number;
    share: number;
  },
): number {
  const room = (MAX_PAGE_BYTES - FOR_TEXTS) / share - picture;
  const each = 4 * Math.ceil(tokens * patches / 3) + 24 * tokens + 150;
  return Math.max(0, Math.floor(room / (models * each)) - WHOLE);
}

/** Rows of weights as bytes with the row's scale. */
function quantised(rows: readonly Float32Array[]): { bytes: string; scale: number[] } {
  const scale = rows.map((row) =>
    Number((row.reduce((most, x) => Math.max(most, x), 0) / 255).toPrecision(6))
  );
  const bytes = rows.map((row, i) =>
    Uint8Array.from(row, (x) => scale[i] > 0 ? Math.min(255, Math.round(x / scale[i])) : 0)
  );
  const all = new Uint8Array(rows.length * rows[0].length);
  bytes.forEach((row, i) => all.set(row, i * row.length));
  return { bytes: all.toBase64(), scale };
}

/** Positions whose maps are kept: all that are not image tokens. */
const textPositions = ({ length, imageStart, rows, columns }: SequenceLayout) =>
  Array.from({ length }, (_, i) => i).filter((i) => i < imageStart || i >= imageStart + rows * columns);

const bytesOf = (matrix: Float32Array, layout: SequenceLayout) =>
  quantised(textPositions(layout).map((token) => tokenToImage(matrix, token, layout)));

/** Raw attention as a map of every token that is not an image token. */
function rawMap(
  matrix: Float32Array,
  layout: SequenceLayout,
  { layer, head }: Pick<ExplorerMap, "layer" | "head">,
): ExplorerMap {
  const { bytes, scale } = bytesOf(matrix, layout);
  // Without sinks a row is scaled as a whole: the bytes are the same.
  const scales = { "left in": scale, "left out": bytesOf(withoutSinks(matrix, layout), layout).scale };
  return { method: "raw attention", layer, head, bytes, scales };
}

/** Raw attention of one layer as far as it is kept: the mean over its heads, then each head. */
export function layerMaps(
  heads: LayerAttention,
  layer: number,
  layout: SequenceLayout,
  kept: KeptLayers,
): ExplorerMap[] {
  const map = (head: number | "mean") => rawMap(fuseHeads(heads, head), layout, { layer, head });
  return [
    ...(kept.alone.includes(layer) ? [map("mean")] : []),
    ...(kept.byHead.includes(layer) ? heads.map((_, head) => map(head)) : []),
  ];
}

/**
 * Maps of every token that is not an image token over all layers of a captured answer.
 *
 * @throws where no gradients were captured
 */
export function wholeMaps(captured: CapturedAnswer): ExplorerMap[] {
  const { raw, rollout, rolloutWithSinks, relevance, layout } = captured;
  if (!relevance) {
    throw new Error("Expected gradients beside the attention, found none: capture with { gradients: true }.");
  }
  const whole = (method: ExplorerMethod, matrix: Float32Array, sinks: Sinks): ExplorerMap => {
    const { bytes, scale } = bytesOf(matrix, layout);
    return { method, layer: "mean", head: "mean", bytes, scales: { [sinks]: scale } };
  };
  return [
    rawMap(raw, layout, { layer: "mean", head: "mean" }),
    whole("rollout", rollout, "left out"),
    whole("rollout", rolloutWithSinks, "left in"),
    whole("gradient × attention", relevance, "left in"),
  ];
}

/** Every token that is not an image token, as people read it. */
export function explorerTokens({ tokens, layout }: CapturedAnswer): ExplorerExample["tokens"] {
  const [bos, newline] = layout.sinks;
  return textPositions(layout).map((at) => {
    if (at === bos) return { text: "bos", part: "bos" };
    if (at === newline) return { text: "newline", part: "newline" };
    const part = layout.response.includes(at) ? "answer" : "question";
    return { text: tokens[at].trim() || "␣", part };
  });
}

/** How an example is made. */
export interface ExplorerOptions {
  /** Examples on the page, which share its 5 MB. Default 1. */
  share?: number;
  /** Tokens of an answer at most. Default 24. */
  maxNewTokens?: number;
  /** Looked at before each model. */
  signal?: AbortSignal;
}

/**
 * One question about one image for `explorerPage`: the last model's greedy answer, and what the attention of every model is
 * while it reads that answer, so that they can be compared token by token.
 *
 * Kept of each model are raw attention (mean), rollout with and without sinks, gradient × attention, and raw attention of as
 * many single layers and heads as fit (`keptLayers`).
 *
 * @throws as `captureAnswer`, and without a model
 */
export async function explorerExample(
  models: readonly { name: string; model: Model }[],
  tokenizer: Tokenizer,
  store: ImageStore,
  asked: {
    imageId: string;
    imagePath: string;
    question: string;
    choices?: readonly string[] | null;
    answer: string;
  },
  { share = 1, maxNewTokens = 24, signal }: ExplorerOptions = {},
): Promise<ExplorerExample> {
  if (models.length === 0) throw new Error("Expected a model that reads the answer, found none.");
  const prompt = { imagePath: asked.imagePath, prefix: questionPrefix(asked) };
  const { size } = store, data = await store.get(asked.imagePath);
  const picture = `data:image/png;base64,${
    (await encodePng({ width: size, height: size, data })).toBase64()
  }`;
  const { layers, heads } = models[0].model.config.text, read: ExplorerModel[] = [];
  let said: Pick<CapturedAnswer, "answerIds" | "text"> | undefined;
  let shape: Pick<ExplorerExample, "rows" | "columns" | "tokens"> = { rows: 0, columns: 0, tokens: [] };
  for (const { name, model } of models.toReversed()) {
    const single: ExplorerMap[] = [];
    const captured = await captureAnswer(model, tokenizer, store, prompt, {
      ...{ answerIds: said?.answerIds, maxNewTokens, gradients: true, signal },
      onLayer: (attention, layer, layout) => {
        const fitting = mapsThatFit({
          ...{
            tokens: textPositions(layout).length,
            patches: layout.rows * layout.columns,
            models: models.length,
          },
          ...{ picture: picture.length, share },
        });
        single.push(...layerMaps(attention, layer, layout, keptLayers(layers, heads, fitting)));
      },
    });
    const { text, answerIds, logprobs, layout: { rows, columns } } = captured;
    const own = said
      ? await answerPrompts(model, tokenizer, store, [prompt], { maxNewTokens, batchSize: 1, signal })
      : [[{ text }]];
    said ??= { text, answerIds };
    shape = { rows, columns, tokens: explorerTokens(captured) };
    const maps = [...wholeMaps(captured), ...single];
    read.unshift({ name, says: own[0][0].text.trim(), logprobs, maps });
  }
  const { imageId, question, answer: reference } = asked, answer = said?.text ?? "";
  return { imageId, question, reference, answer, picture, ...shape, layers, heads, models: read };
}
