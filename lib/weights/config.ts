import { z } from "zod";

/** What the model code needs to know about a PaliGemma checkpoint. */
export interface PaliGemmaConfig {
  /** The vision tower: widths, layers, heads; sides in pixels. */
  vision: {
    hiddenSize: number;
    layers: number;
    heads: number;
    intermediateSize: number;
    /** Side of the square input image, in pixels. */
    imageSize: number;
    patchSize: number;
    layerNormEps: number;
  };
  /** The language model: widths, layers, heads, vocabulary. */
  text: {
    hiddenSize: number;
    layers: number;
    heads: number;
    kvHeads: number;
    /** Independent of hiddenSize / heads. */
    headDim: number;
    intermediateSize: number;
    rmsNormEps: number;
    ropeTheta: number;
    vocabSize: number;
  };
  /** Id of <image>. */
  imageTokenId: number;
  /** Id of <bos>. */
  bosId: number;
  /** Id of <eos>. */
  eosId: number;
  /** Id of <pad>. */
  padId: number;
  /** Image tokens per image: (imageSize / patchSize)^2, rounded down per side. */
  imageTokens: number;
}

/** A whole number above 0, and not more than any PaliGemma could have: a file must not make us build what it claims. */
const upTo = (most: number) => z.number().int().positive().max(most, `expected at most ${most}`);
const width = upTo(2 ** 16), depth = upTo(512), rows = upTo(2 ** 22), pixels = upTo(4096);
const tokenId = z.number().int().nonnegative();
const square = z.union([pixels, z.tuple([pixels, pixels]).refine(([h, w]) => h === w, "expected a square")])
  .transform((x) => (typeof x === "number" ? x : x[0]));
const oneId = z.preprocess(
  (x) => Array.isArray(x) && x.length === 1 ? x[0] : x,
  z.custom<number>((x) => !Array.isArray(x), "lists several tokens; an answer can end by one only here")
    .pipe(tokenId),
);
const off = z.union([z.literal(false), z.null()]).optional();
/** A key that changes the logits of other Gemmas, and that transformers obeys or ignores depending on its version. */
const unset = (what: string) => z.null(`${what}, which this code does not do`).optional();
/** On loading, transformers would round the weights, whatever their file holds. */
const unquantized = z.null("the weights are quantized; take the checkpoint it was made of").optional();
/** Configurations write null where a key is unset. */
const orDefault = <T extends z.ZodType>(schema: T, value: z.output<T>) =>
  schema.nullish().transform((x) => x ?? value);

/** SiglipVisionConfig's class defaults: what transformers takes for a key that is missing in `vision_config`. */
const Vision = z.looseObject({
  model_type: z.literal("siglip_vision_model").optional(),
  hidden_size: orDefault(width, 768),
  num_hidden_layers: orDefault(depth, 12),
  num_attention_heads: orDefault(depth, 12),
  intermediate_size: orDefault(rows, 3072),
  image_size: orDefault(square, 224),
  patch_size: orDefault(square, 16),
  layer_norm_eps: orDefault(z.number().positive(), 1e-6),
  num_channels: z.literal(3).optional(),
  hidden_act: z.enum(["gelu_pytorch_tanh", "gelu_fast"]).optional(),
});

/** GemmaConfig's class defaults (those of Gemma 7B), likewise. "gelu" is a legacy spelling of the tanh form. */
const Text = z.looseObject({
  model_type: z.literal("gemma", 'expected "gemma" (Gemma 1; PaliGemma 2\'s Gemma 2 is not supported)')
    .optional(),
  hidden_size: orDefault(width, 3072),
  num_hidden_layers: orDefault(depth, 28),
  num_attention_heads: orDefault(depth, 16),
  num_key_value_heads: orDefault(depth, 16),
  head_dim: orDefault(width, 256),
  intermediate_size: orDefault(rows, 24576),
  rms_norm_eps: orDefault(z.number().positive(), 1e-6),
  vocab_size: orDefault(rows, 256000),
  final_logit_softcapping: unset("caps the logits"),
  attn_logit_softcapping: unset("caps the attention scores"),
  query_pre_attn_scalar: unset("scales the queries otherwise"),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: z.looseObject({
    rope_theta: z.number().positive().nullish(),
    rope_type: z.literal("default").nullish(),
  }).nullish(),
  rope_scaling: z.null().optional(),
  hidden_act: z.enum(["gelu", "gelu_pytorch_tanh"]).nullish(),
  hidden_activation: z.enum(["gelu", "gelu_pytorch_tanh"]).nullish(),
  attention_bias: off,
  use_bidirectional_attention: z.union([z.literal(true), z.null()]).optional(),
  pad_token_id: orDefault(tokenId, 0),
  eos_token_id: orDefault(oneId, 1),
  bos_token_id: orDefault(tokenId, 2),
});

/** A whole missing `vision_config` or `text_config` means So400m/14 (with an MLP of 4096) and Gemma 2B. */
const MISSING_VISION = {
  hidden_size: 1152,
  num_hidden_layers: 27,
  num_attention_heads: 16,
  intermediate_size: 4096,
  image_size: 224,
  patch_size: 14,
};
const MISSING_TEXT = {
  hidden_size: 2048,
  num_hidden_layers: 18,
  num_attention_heads: 8,
  num_key_value_heads: 1,
  intermediate_size: 16384,
  vocab_size: 257152,
};

/** Four times those of 896 px. */
const MOST_IMAGE_TOKENS = 2 ** 14;

const HubConfig = z.looseObject({
  model_type: z.literal("paligemma"),
  vision_config: z.preprocess((x) => x ?? MISSING_VISION, Vision),
  text_config: z.preprocess((x) => x ?? MISSING_TEXT, Text),
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  projection_dim: orDefault(width, 2048),
  quantization_config: unquantized,
  tie_word_embeddings: z.literal(true, "an output layer of its own is not supported").nullish(),
  pad_token_id: tokenId.nullish(),
  eos_token_id: oneId.nullish(),
  bos_token_id: tokenId.nullish(),
});

/**
 * A Hugging Face config.json of PaliGemma, from the first hub files to transformers 5, as the normalised record.
 * Missing keys get the defaults of transformers 5.23.0's classes (tests/weights/config_test.ts).
 * @throws with every offending key named, also for features this model code does not have (PaliGemma 2, biases, ...).
 */
export function parseConfig(json: unknown, where = "config.json"): PaliGemmaConfig {
  const parsed = HubConfig.safeParse(json);
  const fail = (problems: string[]): never => {
    throw new Error(`${where} is not a PaliGemma configuration this code can run: ${problems.join("; ")}.`);
  };
  if (!parsed.success) {
    return fail(parsed.error.issues.map((i) => `key "${i.path.join(".")}": ${i.message}`));
  }
  const { vision_config: v, text_config: t, ...top } = parsed.data;
  const problems: string[] = [];
  const must = (ok: boolean, message: string) => ok || problems.push(message);
  must(
    v.hidden_size % v.num_attention_heads === 0,
    `key "vision_config.num_attention_heads": ${v.num_attention_heads} does not divide hidden_size ${v.hidden_size}`,
  );
  must(
    t.num_attention_heads % t.num_key_value_heads === 0,
    `key "text_config.num_key_value_heads": ${t.num_key_value_heads} does not divide the ${t.num_attention_heads} heads`,
  );
  must(
    t.head_dim % 2 === 0,
    `key "text_config.head_dim": expected an even number (rotary halves), found ${t.head_dim}`,
  );
  must(
    top.projection_dim === t.hidden_size,
    `key "projection_dim": expected the decoder's hidden_size ${t.hidden_size}, found ${top.projection_dim}`,
  );
  must(
    v.patch_size <= v.image_size,
    `key "vision_config.patch_size": ${v.patch_size} is greater than image_size ${v.image_size}`,
  );
  const imageTokens = Math.floor(v.image_size / v.patch_size) ** 2;
  must(
    imageTokens <= MOST_IMAGE_TOKENS,
    `key "vision_config.patch_size": ${imageTokens} image tokens are more than ${MOST_IMAGE_TOKENS}`,
  );
  if (problems.length) fail(problems);
  return {
    vision: {
      hiddenSize: v.hidden_size,
      layers: v.num_hidden_layers,
      heads: v.num_attention_heads,
      intermediateSize: v.intermediate_size,
      imageSize: v.image_size,
      patchSize: v.patch_size,
      layerNormEps: v.layer_norm_eps,
    },
    text: {
      hiddenSize: t.hidden_size,
      layers: t.num_hidden_layers,
      heads: t.num_attention_heads,
      kvHeads: t.num_key_value_heads,
      headDim: t.head_dim,
      intermediateSize: t.intermediate_size,
      rmsNormEps: t.rms_norm_eps,
      ropeTheta: t.rope_parameters?.rope_theta ?? t.rope_theta ?? 10000,
      vocabSize: t.vocab_size,
    },
    imageTokenId: top.image_token_id ?? top.image_token_index ?? 256000,
    bosId: top.bos_token_id ?? t.bos_token_id,
    eosId: top.eos_token_id ?? t.eos_token_id,
    padId: top.pad_token_id ?? t.pad_token_id,
    imageTokens,
  };
}

/** The config.json that transformers (4.41 and later) reads back as the same model; every key is spelt out. */
export function toHubConfig(config: PaliGemmaConfig): Record<string, unknown> {
  const { vision: v, text: t, bosId, eosId, padId, imageTokens } = config;
  const ids = { bos_token_id: bosId, eos_token_id: eosId, pad_token_id: padId };
  return {
    architectures: ["PaliGemmaForConditionalGeneration"],
    model_type: "paligemma",
    ...ids,
    image_token_index: config.imageTokenId,
    hidden_size: t.hiddenSize,
    projection_dim: t.hiddenSize,
    vocab_size: t.vocabSize,
    tie_word_embeddings: true,
    text_config: {
      model_type: "gemma",
      ...ids,
      hidden_size: t.hiddenSize,
      num_hidden_layers: t.layers,
      num_attention_heads: t.heads,
      num_key_value_heads: t.kvHeads,
      head_dim: t.headDim,
      intermediate_size: t.intermediateSize,
      rms_norm_eps: t.rmsNormEps,
      rope_theta: t.ropeTheta,
      hidden_act: "gelu_pytorch_tanh",
      vocab_size: t.vocabSize,
      num_image_tokens: imageTokens,
      tie_word_embeddings: true,
    },
    vision_config: {
      model_type: "siglip_vision_model",
      hidden_size: v.hiddenSize,
      num_hidden_layers: v.layers,
      num_attention_heads: v.heads,
      intermediate_size: v.intermediateSize,
      image_size: v.imageSize,
      patch_size: v.patchSize,
      layer_norm_eps: v.layerNormEps,
      hidden_act: "gelu_pytorch_tanh",
      num_channels: 3,
      num_image_tokens: imageTokens,
      projection_dim: t.hiddenSize,
      vision_use_head: false,
    },
  };
}
