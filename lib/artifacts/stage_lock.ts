import { join } from "@std/path";
import { diskError, type Scale, writeFileAtomic } from "../config/mod.ts";
import { type FileLock, lockFile } from "./file_lock.ts";
import { readCurrent, readManifest, runNames, stageFolder } from "./manifest.ts";

/**
 * Takes the lock of a stage, of which there is one: no two processes write runs of one stage at a time.
 *
 * @throws Error when another process has it: it says which and since when, and nothing is changed
 */
export function lockStage(stage: string, scale: Scale): FileLock {
  const folder = stageFolder(stage, scale);
  try {
    Deno.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw diskError(error, folder);
  }
  return lockFile(
    join(folder, "lock"),
    (holder) =>
      `Stage ${stage} is being written by ${holder}: wait for it, or end it (an open notebook: shut its kernel down).`,
  );
}

async function needRun(stage: string, scale: Scale, name: string): Promise<void> {
  const names = await runNames(stage, scale);
  if (!names.includes(name)) {
    throw new Error(`Stage ${stage} has no run ${name}; it has ${names.join(", ") || "none"}.`);
  }
}

/**
 * Points a stage at one of its runs, which is then read whatever the configuration, until the stage runs again.
 * @throws Error when there is no such run, or another process writes the stage
 */
export async function chooseRun(stage: string, scale: Scale, name: string): Promise<void> {
  await needRun(stage, scale, name);
  using _lock = lockStage(stage, scale);
  await readManifest(join(stageFolder(stage, scale), name), stage, scale);
  await writeFileAtomic(join(stageFolder(stage, scale), "current"), `${name}\nchosen\n`);
}

/**
 * Removes one of a stage's runs that is not the current one.
 * @throws Error when it is the current one, there is no such run, or another process reads it or writes the stage
 */
export async function deleteRun(stage: string, scale: Scale, name: string): Promise<void> {
  await needRun(stage, scale, name);
  using _lock = lockStage(stage, scale);
  if ((await readCurrent(stage, scale))?.name === name) {
    throw new Error(
      `Run ${name} is the current one of stage ${stage}: choose another first (./lab runs use).`,
    );
  }
  if (!await removeRun(stageFolder(stage, scale), name)) {
    throw new Error(`Run ${name} of stage ${stage} is being read by another process: end that first.`);
  }
}

/** Removes a finished run whole, unless a process reads it. Asks for the stage's lock. @returns whether it is gone */
async function removeRun(folder: string, name: string): Promise<boolean> {
  {
    const dir = join(folder, name);
    using manifest = await Deno.open(join(dir, "manifest.json"));
    if (!manifest.tryLockSync(true)) return false;
    await Deno.rename(dir, join(folder, `.removed-${name}`));
  }
  await Deno.remove(join(folder, `.removed-${name}`), { recursive: true });
  return true;
}

/**
 * Removes what killed processes left in a stage's folder, and runs of which there is a newer one with the same
 * configuration, but for the current one and those that a process reads; no run where `current` is damaged. Asks for the
 * stage's lock.
 * @returns the names of the runs that are left
 */
export async function sweepStage(stage: string, scale: Scale): Promise<string[]> {
  const folder = stageFolder(stage, scale);
  for await (const { name } of Deno.readDir(folder)) {
    if (/^\.(partial|removed)-/.test(name)) await Deno.remove(join(folder, name), { recursive: true });
  }
  const names = await runNames(stage, scale),
    current = await readCurrent(stage, scale).catch(() => "damaged");
  if (typeof current === "string") return names;
  const newest = new Map<string, string>(), left: string[] = [];
  const configuration = (name: string) => name.replace(/(-[0-9a-f]{8})-\d+$/, "$1");
  for (const name of names) newest.set(configuration(name), name);
  for (const name of names) {
    const superseded = name !== current?.name && newest.get(configuration(name)) !== name;
    if (!superseded || !await removeRun(folder, name)) left.push(name);
  }
  return left;
}
