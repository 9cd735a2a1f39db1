import { basename, dirname, join } from "@std/path";
import { canonicalJson, computing, type Config, type Scale, sha256, sha256File } from "../config/mod.ts";
import { type Cell, type ColumnType, type Row, writeArrow } from "./arrow.ts";
import { currentManifest, Manifest, stageFolder } from "./manifest.ts";
import { readArrow } from "./open_table.ts";

/** A finished run, opened for reading. */
export interface StageInput {
  readonly stage: string;
  readonly manifest: Manifest;
  readonly dir: string;
  readonly stale: string[];
  file(name: string): string;
  table<T extends Row = Row>(name: string): Promise<T[]>;
  json<T = unknown>(name: string): Promise<T>;
}

/** A run being written. */
export interface StageRun {
  readonly stage: string;
  /** Folder of the run while it is being written; it gets its final name in `finish`. */
  readonly dir: string;
  readonly inputs: Readonly<Record<string, StageInput>>;
  file(name: string): string;
  writeTable(name: string, rows: readonly object[], columns?: Record<string, ColumnType>): Promise<void>;
  writeJson(name: string, value: unknown): Promise<void>;
  writeText(name: string, text: string): Promise<void>;
  /** Writes the manifest, gives the folder its name and points the stage at it. Returns the folder. */
  finish(notes?: Record<string, unknown>): Promise<string>;
}

/** Names of stale inputs that the user takes as they are: LAB_ACCEPT_STALE=03_annealing,04_stage1 */
const accepted = () => new Set((Deno.env.get("LAB_ACCEPT_STALE") ?? "").split(",").filter(Boolean));

/** Stages above `manifest` whose current run is not the one it was made from. */
async function staleInputs(manifest: Manifest, scale: Scale): Promise<string[]> {
  const stale: string[] = [];
  for (const [stage, recorded] of Object.entries(manifest.inputs)) {
    const now = await currentManifest(stage, scale);
    if (now?.hash !== recorded.manifestSha256) stale.push(stage);
    if (now) stale.push(...await staleInputs(now.manifest, scale));
  }
  return [...new Set(stale)];
}

/**
 * Opens the current run of a stage.
 *
 * @throws when the stage has not run (the message names the notebook), when it was made from inputs that have changed
 * since and this is not accepted by name, or when it comes from a limited run and this one is not limited.
 */
export async function openInput(stage: string, config: Config): Promise<StageInput> {
  const found = await currentManifest(stage, config.scale);
  if (!found) {
    throw new Error(
      `Stage ${stage} has no finished run at scale ${config.scale}: run its notebook first (./lab run ${
        stage.slice(0, 2)
      } --scale ${config.scale}).`,
    );
  }
  const { manifest, dir } = found;
  if (manifest.limit !== null && config.limit === null) {
    throw new Error(
      `The current run of stage ${stage} is limited to ${manifest.limit} rows: run its notebook without a limit first.`,
    );
  }
  const stale = await staleInputs(manifest, config.scale);
  if (stale.length && !accepted().has(stage)) {
    throw new Error(
      `The current run of stage ${stage} is stale: ${stale.join(", ")} ran again since. ` +
        `Run the notebook of ${stage} again, or accept it by name with LAB_ACCEPT_STALE=${stage}.`,
    );
  }
  const file = (name: string) => {
    if (!(name in manifest.outputs)) {
      throw new Error(
        `Stage ${stage} has no output "${name}"; it has ${Object.keys(manifest.outputs).join(", ")}.`,
      );
    }
    return join(dir, name);
  };
  return {
    stage,
    manifest,
    dir,
    stale,
    file,
    table: <T extends Row = Row>(name: string) => readArrow<T>(file(`${name}.arrow`)),
    json: async <T>(name: string) => JSON.parse(await Deno.readTextFile(file(`${name}.json`))) as T,
  };
}

/** Every file under `dir`, with forward slashes, in order. */
async function listFiles(dir: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(join(dir, prefix))) {
    const name = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory) names.push(...await listFiles(dir, name));
    else names.push(name);
  }
  return names.sort();
}

/**
 * Starts a run of a stage: opens its inputs and makes the folder `results/<scale>/<stage>/<run>`, where the run is
 * the scale's name and eight hex digits of the hash of `config`. (The inputs' own hashes are in the manifest.)
 */
export async function startRun(
  stage: string,
  config: Config,
  options: { inputs?: readonly string[] } = {},
): Promise<StageRun> {
  const started = new Date();
  const inputs: Record<string, StageInput> = {};
  const recorded: Manifest["inputs"] = {};
  for (const name of options.inputs ?? []) {
    inputs[name] = await openInput(name, config);
    const { hash } = (await currentManifest(name, config.scale))!;
    recorded[name] = { run: inputs[name].manifest.run, manifestSha256: hash };
  }
  const configHash = sha256(canonicalJson(config));
  const run = `${config.scale}${config.limit === null ? "" : `-limit${config.limit}`}-${
    configHash.slice(0, 8)
  }`;
  const folder = stageFolder(stage, config.scale);
  const dir = join(folder, `.partial-${run}`);
  await Deno.remove(dir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(dir, { recursive: true });
  const file = (name: string) => join(dir, name);
  const writeText = async (name: string, text: string) => {
    await Deno.mkdir(dirname(file(name)), { recursive: true });
    await Deno.writeTextFile(file(`${name}.tmp`), text);
    await Deno.rename(file(`${name}.tmp`), file(name));
  };
  return {
    stage,
    dir,
    inputs,
    file,
    writeText,
    writeTable: (name, rows, columns) =>
      writeArrow(file(`${name}.arrow`), rows as readonly Record<string, Cell>[], columns),
    writeJson: (name, value) => writeText(`${name}.json`, JSON.stringify(value, null, 1) + "\n"),
    async finish(notes = {}) {
      const outputs: Manifest["outputs"] = {};
      for (const name of await listFiles(dir)) {
        outputs[name] = { sha256: await sha256File(file(name)), bytes: (await Deno.stat(file(name))).size };
      }
      const acceptedStale = Object.values(inputs).flatMap((input) => [
        ...(input.stale.length ? [input.stage] : []),
        ...input.manifest.acceptedStale,
      ]);
      const manifest: Manifest = {
        stage,
        run,
        scale: config.scale,
        limit: config.limit,
        seed: config.seed,
        configHash,
        config,
        inputs: recorded,
        acceptedStale: [...new Set(acceptedStale)],
        outputs,
        versions: { ...computing.versions },
        device: computing.device,
        started: started.toISOString(),
        seconds: (Date.now() - started.getTime()) / 1000,
        notes,
      };
      await writeText("manifest.json", JSON.stringify(Manifest.parse(manifest), null, 1) + "\n");
      const final = join(folder, run);
      await Deno.remove(final, { recursive: true }).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
      await Deno.rename(dir, final);
      await Deno.writeTextFile(join(folder, "current.tmp"), basename(final) + "\n");
      await Deno.rename(join(folder, "current.tmp"), join(folder, "current"));
      return final;
    },
  };
}
