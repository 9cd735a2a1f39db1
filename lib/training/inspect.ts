import { type Bundle, html, type Pixels } from "../jupyter/mod.ts";
import { type ImageStore, type Model, prefixMask } from "../model/mod.ts";
import { percent } from "../stats/mod.ts";
import { tf } from "../tensor/mod.ts";
import type { Tokenizer, TokenSequence } from "../text/mod.ts";

/** Number of parameters per part of the model, and what each stage trains of it. */
export function parameterShares(
  model: Model,
): { part: string; parameters: number; share: string; trained: string }[] {
  const parts = [
    ["vision tower (SigLIP)", "vision_tower.", "stage 2: LoRA on its attention"],
    ["projector", "multi_modal_projector.", "stage 1: all of it"],
    ["language model (Gemma)", "language_model.", "stage 2: LoRA on its attention"],
  ];
  const size = (prefix: string) =>
    Object.entries(model.params).reduce((sum, [name, x]) => sum + (name.startsWith(prefix) ? x.size : 0), 0);
  const total = size("");
  return parts.map(([part, prefix, trained]) => ({
    part,
    parameters: size(prefix),
    share: `${percent(size(prefix) / total)} %`,
    trained,
  }));
}

/** An image as the model gets it: resized, RGB. */
export async function whatModelSees(store: ImageStore, path: string): Promise<Pixels> {
  return { width: store.size, height: store.size, data: await store.get(path) };
}

const STYLES = {
  image: "background:#dbe9f6",
  prefix: "background:#fdebd0",
  answer: "background:#d5f0dd;font-weight:bold",
};
const BOX =
  "border-radius:3px;padding:1px 3px;margin:1px;display:inline-block;color:#222;font-family:monospace";

/** A sequence's tokens in colour: image (as one box), prefix, and the answer, whose tokens are the labels. */
export function tokenColours(sequence: TokenSequence, tokenizer: Tokenizer): Bundle {
  const kinds = sequence.ids.map((id, i) =>
    id === tokenizer.imageId ? "image" : sequence.tokenTypes[i] === 0 ? "prefix" : "answer"
  );
  const images = kinds.filter((kind) => kind === "image").length;
  const box = (kind: keyof typeof STYLES, text: string, id: string) =>
    html`<span title="id ${id}" style="${STYLES[kind]};${BOX}">${text}</span>`;
  const text = (i: number) => (tokenizer.idToToken(sequence.ids[i]) ?? "?").replaceAll("\n", "\\n");
  const boxes = sequence.ids.flatMap((id, i) =>
    kinds[i] === "image" ? [] : [box(kinds[i] as "prefix", text(i), `${id}`)]
  );
  const legend = (["image", "prefix", "answer"] as const).map((kind) =>
    box(kind, kind === "answer" ? "answer (labels)" : kind, kind)
  );
  return {
    "text/html": html`
      <p>${legend}</p>
      <p>${box("image", `<image> × ${images}`, `${tokenizer.imageId}`)}${boxes}</p>
    `,
    "text/plain": `<image> x ${images} ${
      kinds.map((kind, i) => kind === "image" ? "" : text(i)).filter(Boolean).join(" ")
    }`,
  };
}

/** Image tokens that are shown of a sequence's mask. */
const SHOWN_IMAGE_TOKENS = 4;

/** A sequence's attention mask as the model builds it, with only the last few of the equal image tokens. */
export function maskOf(
  sequence: TokenSequence,
  tokenizer: Tokenizer,
): { mask: Uint8Array; tokens: { text: string; kind: "image" | "prefix" | "answer" }[] } {
  const length = sequence.ids.length;
  const row = (values: readonly number[]) => tf.tensor2d([[...values]], [1, length], "int32");
  const types = row(sequence.tokenTypes), attention = row(sequence.ids.map(() => 1));
  const additive = prefixMask(types, attention);
  const values = additive.dataSync();
  tf.dispose([types, attention, additive]);
  const first = Math.max(0, sequence.ids.lastIndexOf(tokenizer.imageId) + 1 - SHOWN_IMAGE_TOKENS);
  const positions = Array.from({ length: length - first }, (_, i) => first + i);
  return {
    mask: Uint8Array.from(
      positions.flatMap((query) => positions.map((key) => values[query * length + key] === 0 ? 1 : 0)),
    ),
    tokens: positions.map((i) => ({
      text: (tokenizer.idToToken(sequence.ids[i]) ?? "?").replaceAll("\n", "\\n"),
      kind: sequence.ids[i] === tokenizer.imageId
        ? "image"
        : sequence.tokenTypes[i] === 0
        ? "prefix"
        : "answer",
    })),
  };
}
