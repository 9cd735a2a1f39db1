/** Made examples of the explorer, and what a map of them holds. */
import { encodePng } from "@lib/image/mod.ts";
import type { ExplorerExample } from "@lib/saliency/mod.ts";
import { type ExplorerMap, keptLayers, mapsThatFit, type Sinks } from "../../lib/saliency/explorer.ts";

/** Bytes that look random and are always the same. */
export function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state ^ (state >>> 12)) >>> 24;
  });
}

/** A grey picture with as much noise as a radiograph has, as a data URI. */
async function picture(side: number): Promise<string> {
  const grey = noise(side * side, 5).map((byte, i) => 60 + 80 * (i % side) / side + byte / 8),
    data = new Uint8Array(3 * side * side).map((_, i) => grey[Math.floor(i / 3)]);
  return `data:image/png;base64,${(await encodePng({ width: side, height: side, data })).toBase64()}`;
}

/** An example of three models, whose maps of single layers are as many as a page of `share` such examples can hold. */
export async function madeExample(
  { words, side = 4, pictureSide = 64, layers = 2, heads = 2, share = 1, texts = {} }: {
    /** Texts of the tokens between bos and the answer's two last ones. */
    words: readonly string[];
    side?: number;
    pictureSide?: number;
    layers?: number;
    heads?: number;
    share?: number;
    texts?: Partial<ExplorerExample>;
  },
): Promise<ExplorerExample> {
  const tokens: ExplorerExample["tokens"] = [
    { text: "bos", part: "bos" },
    ...words.slice(0, -2).map((text) => ({ text, part: "question" as const })),
    { text: "newline", part: "newline" },
    ...words.slice(-2).map((text) => ({ text, part: "answer" as const })),
  ];
  const patches = side * side, uri = await picture(pictureSide);
  const fitting = mapsThatFit({ tokens: tokens.length, patches, models: 3, picture: uri.length, share });
  const { alone, byHead } = keptLayers(layers, heads, fitting);
  let seed = 0;
  const map = (
    method: ExplorerMap["method"],
    layer: number | "mean",
    head: number | "mean",
    sinks: Sinks[],
  ) => {
    const bytes = noise(tokens.length * patches, ++seed).map((byte) => Math.min(byte, 250));
    tokens.forEach((_, t) => bytes[t * patches + (7 * seed + 5 * t) % patches] = 255); // one patch is strongest
    const scale = (times: number) => tokens.map((_, t) => Number((times * (t + seed) / 1e5).toPrecision(6)));
    const scales = Object.fromEntries(sinks.map((one) => [one, scale(one === "left in" ? 1 : 2)]));
    return { method, layer, head, bytes: bytes.toBase64(), scales };
  };
  const both: Sinks[] = ["left in", "left out"];
  const models = ["base", "stage 1", "stage 2"].map((name, i) => ({
    name,
    says: i === 2 ? "left lung" : "right",
    logprobs: i === 2 ? [0, -0.001] : [-1, i - 3],
    maps: [
      map("raw attention", "mean", "mean", both),
      map("rollout", "mean", "mean", ["left out"]),
      map("rollout", "mean", "mean", ["left in"]),
      map("gradient × attention", "mean", "mean", ["left in"]),
      ...alone.map((layer) => map("raw attention", layer, "mean", both)),
      ...byHead.flatMap((layer) =>
        Array.from({ length: heads }, (_, h) => map("raw attention", layer, h, both))
      ),
    ],
  }));
  return {
    ...{ imageId: "image 1", question: "which side?", reference: "left", answer: "left lung", picture: uri },
    ...{ rows: side, columns: side, tokens, layers, heads, models, ...texts },
  };
}

/** What is chosen of a map; of all layers and heads, without sinks, if not said otherwise. */
export interface Choice {
  model: number;
  method?: ExplorerMap["method"];
  layer?: number | "mean";
  head?: number | "mean";
  sinks?: Sinks;
}

/** The weights of a token over the patches, from the record. */
export function weightsOf(example: ExplorerExample, token: number, choice: Choice): number[] {
  const { model, method = "raw attention", layer = "mean", head = "mean", sinks = "left out" } = choice;
  const found = example.models[model].maps.filter((one) =>
    one.method === method && one.layer === layer && one.head === head && one.scales[sinks]
  );
  if (found.length !== 1) throw new Error(`${found.length} maps are ${JSON.stringify(choice)}.`);
  const patches = example.rows * example.columns, bytes = Uint8Array.fromBase64(found[0].bytes);
  return [...bytes.subarray(token * patches, (token + 1) * patches)].map((byte) =>
    byte * found[0].scales[sinks]![token]
  );
}
