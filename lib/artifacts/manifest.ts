import { exists } from "@std/fs";
import { join } from "@std/path";
import { z } from "zod";
import { canonicalJson, type Config, paths, type Scale, sha256 } from "../config/mod.ts";

/** Name of a file in a run's folder, and nowhere else. */
const Inside = z.string().regex(/^[^/]/).refine(
  (name) => !name.split("/").some((part) => part === "." || part === ".."),
  "expected a file of the run",
);

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
  outputs: z.record(Inside, z.strictObject({ sha256: z.string(), bytes: z.number() })),
  versions: z.record(z.string(), z.string()),
  /** TensorFlow's name of the GPU, else "CPU". */
  device: z.string(),
  /** Peak of the device's memory until the run ended, and what there was; null where it is not known, absent from old runs. */
  memory: z.strictObject({ peakBytes: z.number(), limitBytes: z.number() }).nullish(),
  started: z.string(),
  seconds: z.number(),
  notes: z.record(z.string(), z.unknown()),
});
/** What a finished run says of itself: stage, configuration, inputs, outputs, versions, time. */
export type Manifest = z.infer<typeof Manifest>;

/** A finished run on disk. */
export interface FinishedRun {
  /** What the run says of itself. */
  readonly manifest: Manifest;
  /** SHA-256 of the manifest's text: what a later stage records as its input. */
  readonly hash: string;
  /** Its folder. */
  readonly dir: string;
}

/** Hash of a configuration, by which a stage's runs are found again. */
export const hashConfig = (config: Config): string => sha256(canonicalJson(config));

/** The folder of a stage's runs. */
export function stageFolder(stage: string, scale: Scale): string {
  return join(paths.results, scale, stage);
}

/** How to get a whole run of a stage, as the end of an error's sentence. */
export function remedy(stage: string, scale: Scale): string {
  const number = stage.slice(0, 2);
  return `run its notebook again (./lab run ${number} --scale ${scale}), or choose another run (./lab runs list ${number} --scale ${scale})`;
}

/**
 * Reads the manifest of a run's folder.
 * @throws Deno.errors.NotFound without one; Error, one sentence, when it is damaged
 */
export async function readManifest(dir: string, stage: string, scale: Scale): Promise<FinishedRun> {
  const path = join(dir, "manifest.json"), text = await Deno.readTextFile(path);
  let problem: string;
  try {
    const parsed = Manifest.safeParse(JSON.parse(text));
    if (parsed.success && parsed.data.stage === stage) {
      return { manifest: parsed.data, hash: sha256(text), dir };
    }
    const issue = parsed.error?.issues[0];
    problem = issue
      ? `${issue.path.join(".") || "its top level"}: ${issue.message}`
      : `it is of stage ${parsed.data!.stage}`;
  } catch {
    problem = "it is not JSON";
  }
  throw new Error(`${path} is damaged (${problem}): ${remedy(stage, scale)}.`);
}

/** The run that a stage points at. */
export interface CurrentRun {
  /** Name of the run's folder. */
  readonly name: string;
  /** A person chose it: it is used whatever the configuration, until the stage runs again. */
  readonly chosen: boolean;
}

/** What the file `current` of a stage says; null if there is none. @throws Error when it is damaged */
export async function readCurrent(stage: string, scale: Scale): Promise<CurrentRun | null> {
  const path = join(stageFolder(stage, scale), "current");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const [, name, chosen] = /^([A-Za-z0-9][\w.-]*)\n(chosen\n)?$/.exec(text) ?? [];
  if (!name) throw new Error(`${path} is damaged (it names no run): ${remedy(stage, scale)}.`);
  return { name, chosen: chosen !== undefined };
}

/** The manifest of a stage's current run, its hash and its folder; null if the stage has not run. */
export async function currentManifest(stage: string, scale: Scale): Promise<FinishedRun | null> {
  const folder = stageFolder(stage, scale);
  let current = await readCurrent(stage, scale);
  while (current) {
    try {
      return await readManifest(join(folder, current.name), stage, scale);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const now = await readCurrent(stage, scale); // a newer run may have taken its place meanwhile
    if (now?.name === current.name) {
      throw new Error(
        `${join(folder, "current")} names the run ${current.name}, which is not there: ${
          remedy(stage, scale)
        }.`,
      );
    }
    current = now;
  }
  return null;
}

/** Number of a run's folder among those of one configuration: `tiny-1a2b3c4d-3` is the third. */
export const runNumber = (name: string): number => Number(/-[0-9a-f]{8}-(\d+)$/.exec(name)?.[1] ?? 0);

/** Folders of a stage's finished runs; those of one configuration in the order in which they were made. */
export async function runNames(stage: string, scale: Scale): Promise<string[]> {
  const folder = stageFolder(stage, scale), names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory || name.startsWith(".")) continue;
      if (await exists(join(folder, name, "manifest.json"))) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort((a, b) => runNumber(a) - runNumber(b) || a.localeCompare(b));
}

/**
 * The run that a stage gives to others under this configuration: the current one if it was chosen by a person or has this
 * configuration; else the newest with this configuration; else the current one. Null if the stage has not run.
 */
export async function findRun(stage: string, config: Config): Promise<FinishedRun | null> {
  const { scale } = config, hash = hashConfig(config);
  const current = await currentManifest(stage, scale);
  if (current && (current.manifest.configHash === hash || (await readCurrent(stage, scale))?.chosen)) {
    return current;
  }
  const own = (await runNames(stage, scale)).filter((name) => name.includes(`-${hash.slice(0, 8)}`));
  for (const name of own.reverse()) {
    const found = await readManifest(join(stageFolder(stage, scale), name), stage, scale).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return null; // a newer run has just taken its place
      throw error;
    });
    if (!found) return await findRun(stage, config);
    if (found.manifest.configHash === hash) return found;
  }
  return current;
}
