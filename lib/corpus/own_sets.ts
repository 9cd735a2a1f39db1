import { join } from "@std/path";
import { z } from "zod";
import { type Config, makeFolder, paths, writeFileAtomic } from "../config/mod.ts";
import { loadOwn, type OwnCorpus } from "./own.ts";
import { OwnColumns } from "./own_values.ts";

/** Where a set of your own lies and how its columns are read. */
const OwnSet = z.strictObject({ path: z.string().min(1), columns: OwnColumns, resplit: z.boolean() });
/** A set of somebody's own as `./lab data add` has registered it. */
export type OwnSet = z.infer<typeof OwnSet>;

const folderOf = (local: string): string => join(local, "own");

/** @throws when the name is none that a set can have */
function fileOf(name: string, local: string): string {
  if (/^(?!.*__)[a-z][a-z0-9_]{0,39}$/.test(name)) return join(folderOf(local), `${name}.json`);
  throw new Error(
    `Expected a name of small letters, digits and single _ that begins with a letter, found ${
      JSON.stringify(name.slice(0, 60))
    }.`,
  );
}

/** Names of the registered sets. */
export async function ownSetNames(local: string = paths.local): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folderOf(local)));
    return entries.flatMap(({ name }) => /^([a-z0-9_]+)\.json$/.exec(name)?.[1] ?? []).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** A registered set. @throws naming those there are */
export async function readOwnSet(name: string, local: string = paths.local): Promise<OwnSet> {
  const file = fileOf(name, local), text = await Deno.readTextFile(file).catch(() => null);
  if (text === null) {
    const names = (await ownSetNames(local)).join(", ") || "none";
    throw new Error(
      `There is no data set of your own "${name}"; there are ${names}. ./lab data add registers one.`,
    );
  }
  try {
    return OwnSet.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file}: expected what ./lab data add writes, found other text. Add the set again.`);
  }
}

/** Registers a set, in the place of one with its name. */
export async function writeOwnSet(name: string, set: OwnSet, local: string = paths.local): Promise<void> {
  const file = fileOf(name, local);
  await makeFolder(folderOf(local));
  await writeFileAtomic(file, JSON.stringify(set, null, 1) + "\n");
}

/** Forgets a set; its files stay. @throws when there is none */
export async function removeOwnSet(name: string, local: string = paths.local): Promise<void> {
  await readOwnSet(name, local);
  await Deno.remove(fileOf(name, local));
}

/** The sets that the configuration names. @throws as readOwnSet and loadOwn */
export async function loadOwnSets(
  config: Config,
  options: { signal?: AbortSignal } = {},
): Promise<OwnCorpus[]> {
  const corpora: OwnCorpus[] = [];
  for (const name of config.corpora.own) corpora.push(await loadOwn(name, await readOwnSet(name), options));
  return corpora;
}
