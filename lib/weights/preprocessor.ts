import { join } from "@std/path";
import { z } from "zod";
import { readIfThere } from "./card.ts";
import type { PaliGemmaConfig } from "./config.ts";
import { parseJson } from "./json.ts";

/** The preprocessor_config.json of what this project does to images: SigLIP's bicubic square, values in [-1, 1]. */
export function preprocessorConfig(config: PaliGemmaConfig): Record<string, unknown> {
  const { imageSize } = config.vision;
  return {
    image_processor_type: "SiglipImageProcessor",
    processor_class: "PaliGemmaProcessor",
    image_seq_length: config.imageTokens,
    size: { height: imageSize, width: imageSize },
    do_resize: true,
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
}

/** A value that must be this one, or be left out: transformers' class has it as its default. */
const only = <T extends boolean | number>(value: T) => z.literal(value, `expected ${value}`).nullish();
const near = (value: number) =>
  z.number().refine((x) => Math.abs(x - value) < 1e-6, `expected ${value}`).nullish();
const halves = z.union(
  [z.literal(0.5), z.tuple([z.literal(0.5), z.literal(0.5), z.literal(0.5)])],
  "expected 0.5",
)
  .nullish();

const schema = (config: PaliGemmaConfig) => {
  const side = z.literal(
    config.vision.imageSize,
    `expected config.json's image_size ${config.vision.imageSize}`,
  );
  return z.looseObject({
    image_processor_type: z.string().regex(/^Siglip/, "expected SigLIP's image processor").nullish(),
    size: z.union(
      [side, z.looseObject({ height: side, width: side })],
      `expected ${config.vision.imageSize} x ${config.vision.imageSize}`,
    )
      .nullish(),
    image_seq_length: z.literal(config.imageTokens, `expected ${config.imageTokens}`).nullish(),
    do_resize: only(true),
    resample: z.literal(3, "expected 3 (bicubic)").nullish(),
    do_rescale: only(true),
    rescale_factor: near(1 / 255),
    do_normalize: only(true),
    image_mean: halves,
    image_std: halves,
    do_center_crop: only(false),
    do_pad: only(false),
    do_convert_rgb: only(true),
  });
};

/**
 * Whether preprocessor_config.json (transformers 5 writes it into processor_config.json) asks for what is done here.
 * @throws with every key that asks for something else
 */
export async function checkPreprocessor(dir: string, config: PaliGemmaConfig): Promise<void> {
  const read = async (name: string) => {
    const path = join(dir, name), text = await readIfThere(path);
    return text === null ? null : { path, json: parseJson(text, path) };
  };
  const processor = await read("processor_config.json");
  const inner = z.looseObject({ image_processor: z.looseObject({}) }).safeParse(processor?.json);
  const files = [
    await read("preprocessor_config.json"),
    inner.success ? { path: processor!.path, json: inner.data.image_processor } : null,
  ];
  for (const file of files) {
    if (file === null) continue;
    const parsed = schema(config).safeParse(file.json);
    if (parsed.success) continue;
    const problems = parsed.error.issues.map((i) => `key "${i.path.join(".")}": ${i.message}`);
    throw new Error(
      `${file.path} wants images prepared otherwise than this code does: ${problems.join("; ")}.`,
    );
  }
}
