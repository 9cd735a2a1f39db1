import { dirname, join } from "@std/path";
import { z } from "zod";
import {
  computing,
  type Config,
  diskError,
  makeFolder,
  sha256File,
  syncPath,
  writeFileAtomic,
} from "../config/mod.ts";
import { type Row, writeArrow } from "./arrow.ts";
import { damagedOutputs, rememberChecked } from "./check_outputs.ts";
import { columnsOf } from "./columns.ts";
import type { FileLock } from "./file_lock.ts";
import {
  findRun,
  type FinishedRun,
  hashConfig,
  Manifest,
  remedy,
  runNumber,
  stageFolder,
} from "./manifest.ts";
import { readArrow } from "./open_table.ts";
import { lockStage, sweepStage } from "./stage_lock.ts";

/** A finished run, opened for reading. It is not removed while this process lives, or until `close`. */
export interface StageInput extends Disposable {
  /** The stage that wrote it. */
  readonly stage: string;
  /** What it says of itself. */
  readonly manifest: Manifest;
  /** SHA-256 of the manifest's text. */
  readonly hash: string;
  /** Its folder. */
  readonly dir: string;
  /** Stages before it that have run again since, which the user accepts by name; mostly none. */
  readonly stale: string[];
  /** Path of an output. @throws if the manifest does not list it */
  file(name: string): string;
  /**
   * The rows of a table, columns that the schema does not name left out.
   * @throws as `file`; Error, one sentence, when a row is not what the schema says
   */
  table<T>(name: string, row: z.ZodType<T>): Promise<T[]>;
  /** The value of a JSON file. @throws as `file` */
  json<T = unknown>(name: string): Promise<T>;
  /** Lets other processes remove the run. */
  close(): void;
}

/** A run being written; `Input` names the stages that it reads. */
export interface StageRun<Input extends string = string> {
  /** The stage that is run. */
  readonly stage: string;
  /** Folder of the run while it is being written; it gets its final name in `finish`. */
  readonly dir: string;
  /** Runs of earlier stages that it reads. */
  readonly inputs: Readonly<Record<Input, StageInput>>;
  /** Path of an output that is to be written. */
  file(name: string): string;
  /**
   * Writes an Arrow table. With the schema that its readers pass to {@linkcode StageInput.table}, its columns are the
   * schema's, and what the schema encodes (paths of images) is encoded; without one, columns are read off the rows.
   * @throws Error when a row is not what the schema says
   */
  writeTable<T extends object>(name: string, rows: readonly T[], row?: z.ZodType<T>): Promise<void>;
  /** Writes a value as JSON. */
  writeJson(name: string, value: unknown): Promise<void>;
  /** Writes a text. */
  writeText(name: string, text: string): Promise<void>;
  /**
   * Writes the manifest, gives the folder its name and points the stage at it. Then, not before, older runs of the same
   * configuration go. Returns the folder.
   * @throws Error when an output that was promised or written is not there; nothing has changed then
   */
  finish(notes?: Record<string, unknown>): Promise<string>;
}

/** What a stage needs and what it will have written when it is finished. */
export interface RunOptions<Input extends string = string> {
  /** Stages whose runs it reads. */
  inputs?: readonly Input[];
  /** Files, or folders that must not be empty, without which the run is not finished. */
  outputs?: readonly string[];
}

/** Names of stale inputs that the user takes as they are: LAB_ACCEPT_STALE=03_annealing,04_stage1 */
const accepted = () => new Set((Deno.env.get("LAB_ACCEPT_STALE") ?? "").split(",").filter(Boolean));

/** Stages above `manifest` of which another run than the one it was made from would be read now. */
async function staleInputs(manifest: Manifest, config: Config): Promise<string[]> {
  const stale: string[] = [];
  for (const [stage, recorded] of Object.entries(manifest.inputs)) {
    const now = await findRun(stage, config);
    if (now?.hash !== recorded.manifestSha256) stale.push(stage);
    if (now) stale.push(...await staleInputs(now.manifest, config));
  }
  return [...new Set(stale)];
}

/** The run that `findRun` finds, kept from being removed until `release`; null if the stage has not run. */
async function holdRun(
  stage: string,
  config: Config,
): Promise<{ found: FinishedRun; release: () => void } | null> {
  for (;;) {
    const found = await findRun(stage, config);
    if (!found) return null;
    const path = join(found.dir, "manifest.json");
    let file: Deno.FsFile | undefined;
    const release = () => {
      file?.close();
      file = undefined;
    };
    try {
      file = Deno.openSync(path);
      // Its remover takes the lock alone, and the folder has another name from then on.
      if (file.tryLockSync(false) && Deno.statSync(path).ino === file.statSync().ino) {
        return { found, release };
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        release();
        throw error;
      }
    }
    release(); // it was replaced just now
  }
}

/**
 * Opens a stage's run for this configuration: the one made with it, else the current one ({@link findRun}).
 *
 * @throws Error, one sentence, when the stage has not run (it names the notebook), when the run was made from inputs that
 * have changed since and this is not accepted by name, when it is limited and this one is not, or when a file of it is
 * damaged or missing.
 */
export async function openInput(stage: string, config: Config): Promise<StageInput> {
  const held = await holdRun(stage, config);
  if (!held) {
    throw new Error(
      `Stage ${stage} has no finished run at scale ${config.scale}: run its notebook first (./lab run ${
        stage.slice(0, 2)
      } --scale ${config.scale}).`,
    );
  }
  const { found, found: { manifest, hash, dir }, release } = held;
  try {
    const stale = await checkInput(found, config);
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
      hash,
      dir,
      stale,
      file,
      table: async (name, row) => {
        const path = file(`${name}.arrow`), parsed = z.array(row).safeParse(await readArrow(path));
        if (parsed.success) return parsed.data;
        throw new Error(`${path}, ${faultOf(parsed.error)}: ${remedy(stage, config.scale)}.`);
      },
      json: async <T>(name: string) => JSON.parse(await Deno.readTextFile(file(`${name}.json`))) as T,
      close: release,
      [Symbol.dispose]: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** The first thing that is wrong with the rows of a table. */
function faultOf({ issues: [{ path: [index, ...column], message }] }: z.ZodError): string {
  return `row ${String(index)}: ${column.join(".") || "the row"} is not as expected (${message})`;
}

/** Refuses a run that may not be read under this configuration; returns the stages for which it is stale. */
async function checkInput(found: FinishedRun, config: Config): Promise<string[]> {
  const { stage, limit } = found.manifest;
  if (limit !== null && config.limit === null) {
    throw new Error(
      `The current run of stage ${stage} is limited to ${limit} rows: run its notebook without a limit first.`,
    );
  }
  const stale = await staleInputs(found.manifest, config);
  if (stale.length && !accepted().has(stage)) {
    throw new Error(
      `The current run of stage ${stage} is stale: ${stale.join(", ")} ran again since. ` +
        `Run the notebook of ${stage} again, or accept it by name with LAB_ACCEPT_STALE=${stage}.`,
    );
  }
  const [damaged] = await damagedOutputs(found);
  if (damaged) throw new Error(`${damaged}: ${remedy(stage, config.scale)}.`);
  return stale;
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

/** The outputs in `dir`, written to the disk itself, if they are all there. */
async function collectOutputs(
  stage: string,
  dir: string,
  promised: Iterable<string>,
): Promise<Manifest["outputs"]> {
  const names = (await listFiles(dir)).filter((name) => name !== "manifest.json" && !name.startsWith("."));
  const there = (promise: string) => names.some((name) => name === promise || name.startsWith(`${promise}/`));
  const missing = [...new Set(promised)].filter((promise) => !there(promise));
  if (missing.length) {
    throw new Error(
      `Stage ${stage} is not finished: ${missing.join(", ")} was promised but is not there. ` +
        `Run the cells that write it, then this one again.`,
    );
  }
  const half = names.find((name) => name.endsWith(".tmp"));
  if (half) {
    throw new Error(`Stage ${stage} is not finished: ${half} is still being written; await its writer.`);
  }
  const outputs: Manifest["outputs"] = {};
  for (const name of names) {
    const path = join(dir, name);
    syncPath(path);
    outputs[name] = { sha256: await sha256File(path), bytes: (await Deno.stat(path)).size };
  }
  for (const folder of new Set(names.map((name) => dirname(join(dir, name))))) syncPath(folder);
  return outputs;
}

/** Runs that this process writes, by the stage's folder. */
const writing = new Map<string, { lock: FileLock; active: boolean; inputs: Record<string, StageInput> }>();

/**
 * Starts a run of a stage: opens its inputs, takes the stage's lock and makes a folder of its own for the run. Its final
 * name is the scale, eight hex digits of the configuration's hash and a number. (The inputs' hashes are in the manifest.)
 * A run of the same stage that this process has not finished is given up.
 *
 * @throws Error, one sentence, when an input is not to be had or another process writes this stage
 */
export async function startRun<Input extends string>(
  stage: string,
  config: Config,
  options: RunOptions<Input> = {},
): Promise<StageRun<Input>> {
  const started = new Date(), folder = stageFolder(stage, config.scale);
  const earlier = writing.get(folder);
  if (earlier) earlier.active = false;
  const state = {
    lock: earlier?.active === false ? earlier.lock : lockStage(stage, config.scale),
    active: true,
    inputs: {} as Record<string, StageInput>,
  };
  writing.set(folder, state);
  const { inputs } = state;
  const end = () => {
    state.active = false;
    for (const input of Object.values(inputs)) input.close();
    if (writing.get(folder) !== state) return;
    writing.delete(folder);
    state.lock.release();
  };
  for (const input of Object.values(earlier?.inputs ?? {})) input.close();
  const name = `${config.scale}${config.limit === null ? "" : `-limit${config.limit}`}-${
    hashConfig(config).slice(0, 8)
  }`;
  let run: string, dir: string;
  try {
    for (const input of options.inputs ?? []) inputs[input] = await openInput(input, config);
    const names = await sweepStage(stage, config.scale);
    run = `${name}-${Math.max(0, ...names.filter((old) => old.startsWith(name)).map(runNumber)) + 1}`;
    dir = join(folder, `.partial-${run}`);
    await Deno.mkdir(dir, { mode: 0o700 }); // a teacher's texts and answers about patients' images are the user's alone
  } catch (error) {
    end();
    throw diskError(error, folder);
  }
  const written = new Set<string>(options.outputs);
  const place = async (name: string) => {
    if (!state.active) {
      throw new Error(`This run of stage ${stage} is over: start it again to write ${name}.`);
    }
    written.add(name);
    const path = join(dir, name);
    await makeFolder(dirname(path));
    return path;
  };
  const writeText = async (name: string, text: string) => await writeFileAtomic(await place(name), text);
  return {
    stage,
    dir,
    inputs: inputs as Record<Input, StageInput>,
    file: (name) => join(dir, name),
    writeText,
    writeTable: async (name, rows, row) => {
      const encoded = row && z.safeEncode(z.array(row), [...rows]);
      if (encoded?.success === false) {
        throw new Error(
          `Table ${name}, ${faultOf(encoded.error)}: nothing was written. Mend these rows first.`,
        );
      }
      const values = (encoded ? encoded.data : rows) as readonly Row[];
      await writeArrow(await place(`${name}.arrow`), values, row && columnsOf(row));
    },
    writeJson: (name, value) => writeText(`${name}.json`, JSON.stringify(value, null, 1) + "\n"),
    async finish(notes = {}) {
      const manifestPath = await place("manifest.json");
      written.delete("manifest.json");
      const outputs = await collectOutputs(stage, dir, written);
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
        configHash: hashConfig(config),
        config,
        inputs: Object.fromEntries(
          Object.values(inputs).map((input) => [input.stage, {
            run: input.manifest.run,
            manifestSha256: input.hash,
          }]),
        ),
        acceptedStale: [...new Set(acceptedStale)],
        outputs,
        versions: { ...computing.versions },
        device: computing.device,
        memory: computing.memory(),
        started: started.toISOString(),
        seconds: (Date.now() - started.getTime()) / 1000,
        notes,
      };
      await rememberChecked(dir, outputs);
      await writeFileAtomic(manifestPath, JSON.stringify(Manifest.parse(manifest), null, 1) + "\n");
      await publishRun(folder, dir, run);
      await sweepStage(stage, config.scale);
      end();
      return join(folder, run);
    },
  };
}

/** Gives a whole run its name, then points the stage at it. */
async function publishRun(folder: string, dir: string, run: string): Promise<void> {
  try {
    await Deno.rename(dir, join(folder, run));
    syncPath(folder);
  } catch (error) {
    throw diskError(error, join(folder, run));
  }
  await writeFileAtomic(join(folder, "current"), `${run}\n`);
}
