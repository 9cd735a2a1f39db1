import { z } from "zod";
import { join } from "@std/path";
import { paths, type Scale, sha256 } from "../config/mod.ts";

/** What a stage says of a finished run. */
export const Manifest = z.strictObject({
  stage: z.string(),
  run: z.string(),
  scale: z.enum(["tiny", "full"]),
  limit: z.number().nullable(),
  seed: z.number(),
  configHash: z.string(),
  config: z.unknown(),
  /** Stage -> run and manifest hash of each input as it was when this run started. */
  inputs: z.record(z.string(), z.strictObject({ run: z.string(), manifestSha256: z.string() })),
  /** Stale inputs that were accepted by name, here or further up. */
  acceptedStale: z.array(z.string()),
  /** File -> hash and size of each output. */
  outputs: z.record(z.string(), z.strictObject({ sha256: z.string(), bytes: z.number() })),
  versions: z.record(z.string(), z.string()),
  /** TensorFlow's name of the GPU, else "CPU". */
  device: z.string(),
  started: z.string(),
  seconds: z.number(),
  notes: z.record(z.string(), z.unknown()),
});
export type Manifest = z.infer<typeof Manifest>;

/** The folder of a stage's runs. */
export function stageFolder(stage: string, scale: Scale): string {
  return join(paths.results, scale, stage);
}

/** The manifest of a stage's current run, its hash and its folder; null if the stage has not run. */
export async function currentManifest(
  stage: string,
  scale: Scale,
): Promise<{ manifest: Manifest; hash: string; dir: string } | null> {
  const folder = stageFolder(stage, scale);
  let run: string;
  try {
    run = (await Deno.readTextFile(join(folder, "current"))).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const dir = join(folder, run);
  const text = await Deno.readTextFile(join(dir, "manifest.json"));
  return { manifest: Manifest.parse(JSON.parse(text)), hash: sha256(text), dir };
}
