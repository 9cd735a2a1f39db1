import type { PaliGemmaConfig } from "../weights/mod.ts";
import { attentionModules } from "./lora.ts";

/** One example as the model sees it. */
export interface ExampleSize {
  /** Image and text tokens. */
  tokens: number;
  /** Places whose logits are computed: of every label, or one for the next token. */
  logits: number;
}

/**
 * Floating-point operations of the matrix products of a forward pass over one example, two for each multiplication with its
 * addition; all else (norms, softmax, rotary angles) is below a hundredth of it at the sizes of PaliGemma-3B.
 */
export interface ForwardFlops {
  /** SigLIP's patch embedding, its layers' linear layers, and their attention. */
  patches: number;
  /** Matrix products with weights in the vision tower. */
  visionLinear: number;
  /** Scores and sums of its attention. */
  visionAttention: number;
  /** The projector. */
  projector: number;
  /** Gemma's linear layers, their attention, and the output layer. */
  textLinear: number;
  /** Scores and sums of the language model's attention. */
  textAttention: number;
  /** Logits. */
  head: number;
}

/** Floating-point operations of one example's forward pass, a multiplication and an addition counted as two. */
export function forwardFlops(config: PaliGemmaConfig, { tokens, logits }: ExampleSize): ForwardFlops {
  const { vision: v, text: t, imageTokens: patches } = config, heads = t.heads * t.headDim;
  return {
    patches: 2 * patches * 3 * v.patchSize ** 2 * v.hiddenSize,
    visionLinear: v.layers * patches * (8 * v.hiddenSize ** 2 + 4 * v.hiddenSize * v.intermediateSize),
    visionAttention: v.layers * 4 * patches ** 2 * v.hiddenSize,
    projector: 2 * patches * v.hiddenSize * t.hiddenSize,
    textLinear: t.layers * tokens * t.hiddenSize *
      (4 * heads + 4 * t.kvHeads * t.headDim + 6 * t.intermediateSize),
    textAttention: t.layers * 4 * tokens ** 2 * heads,
    head: 2 * logits * t.hiddenSize * t.vocabSize,
  };
}

/** What a training step computes. */
export type Trained =
  /** Stage 1: gradients flow down to the projector, from which the forward pass begins where the tower's features are kept. */
  | { stage: 1; featuresKept: boolean; recompute: boolean }
  /** Stage 2: LoRA of rank `rank` on the attention of both towers; `recompute`, of either stage, as in GradientOptions. */
  | { stage: 2; rank: number; recompute: boolean };

/** How many numbers a stage trains: as many come from every process of a group in each step. */
export function trainedNumbers({ vision, text, ...config }: PaliGemmaConfig, trained: Trained): number {
  if (trained.stage === 1) return (vision.hiddenSize + 1) * text.hiddenSize;
  return attentionModules({ vision, text, ...config }, "both").reduce(
    (sum, { inputs, outputs }) => sum + trained.rank * (inputs + outputs),
    0,
  );
}

/**
 * Floating-point operations of the matrix products of one example's forward and backward pass. Frozen weights get no
 * gradient, so a linear layer costs as much again on the way back, and attention, a product of two activations, twice as
 * much.
 */
export function trainingFlops(config: PaliGemmaConfig, example: ExampleSize, trained: Trained): number {
  const f = forwardFlops(config, example), { vision: v, imageTokens } = config;
  const text = 2 * (f.textLinear + f.head) + 3 * f.textAttention;
  if (trained.stage === 1) {
    const tower = trained.featuresKept ? 0 : f.patches + f.visionLinear + f.visionAttention;
    const again = trained.recompute ? f.projector + f.textLinear + f.textAttention : 0;
    return tower + 2 * f.projector + text + again;
  }
  const lora = attentionModules(config, "both").map(({ module, inputs, outputs }) => {
    const rows = module.startsWith("vision_tower") ? imageTokens : example.tokens;
    return 2 * trained.rank * rows * (inputs + outputs);
  }).reduce((sum, flops) => sum + flops, 0);
  // Nothing below the lowest adapted layers is differentiated: their queries, keys and values have no gradient to pass on.
  const unneeded = 3 * 2 * imageTokens * v.hiddenSize * (v.hiddenSize + trained.rank);
  const vision = 2 * f.visionLinear + 3 * f.visionAttention;
  const once = f.patches + vision + 2 * f.projector + text + 3 * lora - unneeded;
  if (!trained.recompute) return once;
  return once + f.visionLinear + f.visionAttention + f.projector + f.textLinear + f.textAttention + lora;
}

/**
 * Bytes that must be read for one more token of each of `rows` rows: the decoder's weights once, and the keys and values of
 * `context` tokens a row. With a card's memory bandwidth that is the least time a token takes.
 * @param width bytes of a number: 2 for bfloat16, 4 for float32
 */
export function tokenBytes(
  { text: t }: PaliGemmaConfig,
  context: number,
  rows: number,
  width: number,
): number {
  const heads = t.heads * t.headDim, kv = t.kvHeads * t.headDim;
  const layer = t.hiddenSize * (2 * heads + 2 * kv + 3 * t.intermediateSize);
  return width * (t.layers * (layer + 2 * rows * context * kv) + t.vocabSize * t.hiddenSize);
}
