import type { PaliGemmaConfig } from "./config.ts";

/** Stored tensors that are not weights of ours: SigLIP's unused pooling head, buffers. */
const DROPPED = [
  /^vision_tower\.head\./,
  /^vision_tower\.embeddings\.position_ids$/,
  /\.rotary_emb\.inv_freq$/,
];

/**
 * The canonical name of a stored tensor or module path, whichever version of transformers wrote it:
 * `language_model.model.layers.0...` (hub), `model.language_model.layers.0...` (4.52 and later, in memory),
 * `model.language_model.model...`; `vision_tower.vision_model.encoder...`, `vision_tower.encoder...` (5).
 */
export function canonicalName(name: string): string {
  return name.replace(/^model\.(?=language_model\.|vision_tower\.|multi_modal_projector\.|lm_head\.)/, "")
    .replace(/^language_model\.model\./, "language_model.")
    .replace(/^vision_tower\.vision_model\./, "vision_tower.");
}

/** Whether this is the output layer, which some files hold beside the embedding table that it is tied to. */
export const isOutputLayer = (canonical: string): boolean =>
  /^(language_model\.)?lm_head\.weight$/.test(canonical);

/** Whether a tensor of this canonical name is left unread. */
export function isDropped(canonical: string): boolean {
  return DROPPED.some((pattern) => pattern.test(canonical));
}

/** The name that the hub's PaliGemma files use, which every version of transformers reads. */
export function hubName(canonical: string): string {
  return canonical.replace(/^language_model\./, "language_model.model.")
    .replace(/^vision_tower\./, "vision_tower.vision_model.");
}

/** The module path in transformers 5's memory, which PEFT's files follow: "model." in front of the canonical one. */
export function memoryName(canonical: string): string {
  return `model.${canonical}`;
}

/** Every weight of the model under its canonical name, with its shape. Linear weights are [out, in]. */
export function expectedShapes(config: PaliGemmaConfig): Record<string, number[]> {
  const { vision: v, text: t } = config;
  const shapes: Record<string, number[]> = {
    "vision_tower.embeddings.patch_embedding.weight": [v.hiddenSize, 3, v.patchSize, v.patchSize],
    "vision_tower.embeddings.patch_embedding.bias": [v.hiddenSize],
    "vision_tower.embeddings.position_embedding.weight": [config.imageTokens, v.hiddenSize],
  };
  const affine = (name: string, out: number, into: number) => {
    shapes[`${name}.weight`] = [out, into];
    shapes[`${name}.bias`] = [out];
  };
  const layerNorm = (name: string) => {
    shapes[`${name}.weight`] = [v.hiddenSize];
    shapes[`${name}.bias`] = [v.hiddenSize];
  };
  for (let k = 0; k < v.layers; k++) {
    const at = `vision_tower.encoder.layers.${k}`;
    layerNorm(`${at}.layer_norm1`);
    for (const p of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
      affine(`${at}.self_attn.${p}`, v.hiddenSize, v.hiddenSize);
    }
    layerNorm(`${at}.layer_norm2`);
    affine(`${at}.mlp.fc1`, v.intermediateSize, v.hiddenSize);
    affine(`${at}.mlp.fc2`, v.hiddenSize, v.intermediateSize);
  }
  layerNorm("vision_tower.post_layernorm");
  affine("multi_modal_projector.linear", t.hiddenSize, v.hiddenSize);
  shapes["language_model.embed_tokens.weight"] = [t.vocabSize, t.hiddenSize];
  const q = t.heads * t.headDim, kv = t.kvHeads * t.headDim;
  for (let k = 0; k < t.layers; k++) {
    const at = `language_model.layers.${k}`;
    shapes[`${at}.input_layernorm.weight`] = [t.hiddenSize];
    shapes[`${at}.self_attn.q_proj.weight`] = [q, t.hiddenSize];
    shapes[`${at}.self_attn.k_proj.weight`] = [kv, t.hiddenSize];
    shapes[`${at}.self_attn.v_proj.weight`] = [kv, t.hiddenSize];
    shapes[`${at}.self_attn.o_proj.weight`] = [t.hiddenSize, q];
    shapes[`${at}.post_attention_layernorm.weight`] = [t.hiddenSize];
    shapes[`${at}.mlp.gate_proj.weight`] = [t.intermediateSize, t.hiddenSize];
    shapes[`${at}.mlp.up_proj.weight`] = [t.intermediateSize, t.hiddenSize];
    shapes[`${at}.mlp.down_proj.weight`] = [t.hiddenSize, t.intermediateSize];
  }
  shapes["language_model.norm.weight"] = [t.hiddenSize];
  return shapes;
}

/** Module path -> [in, out] of every linear layer that a LoRA adapter may name. */
export function linearModules(config: PaliGemmaConfig): Record<string, [number, number]> {
  return Object.fromEntries(
    Object.entries(expectedShapes(config))
      .filter(([name, shape]) => shape.length === 2 && !name.includes("embed"))
      .map(([name, [out, into]]) => [name.replace(/\.weight$/, ""), [into, out]]),
  );
}
