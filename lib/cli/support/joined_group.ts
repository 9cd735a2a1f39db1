/** What commands do that run in several processes at once. */
import { openInput } from "../../artifacts/mod.ts";
import { canonicalJson, computing, type Config, jsonLeaves, workerPlace } from "../../config/mod.ts";
import { type OpenModel, openModel, weightsName } from "../../model/mod.ts";
import { broadcast, type Group, joinGroup } from "../../tensor/mod.ts";

/** Whether this process tells what happens: the only one, or the first of a group. */
export const tells = (group: Group | undefined): boolean => !group || group.rank === 0;

/**
 * The processes that the environment names, where this one is a worker; to be called before a model is opened, so that a
 * missing run is told at once.
 *
 * @param stages whose runs are read: processes that read different disks must read the same
 * @param own what else must be the same in all; becomes JSON
 * @throws as `joinGroup` and `openInput`; and naming what differs, if a process was started otherwise than rank 0
 */
export async function joinedGroup(
  config: Config,
  stages: readonly string[],
  own: object,
): Promise<Group | undefined> {
  const inputs = await inputHashes(stages, config), place = workerPlace(), { versions } = computing;
  if (!place) return undefined;
  const group = await joinGroup(place), device = group.gpu ? "GPU" : "CPU";
  await checkAlike(group, { config, device, versions, inputs, ...own });
  return group;
}

/**
 * The model of a configuration, for a group the same in all processes.
 *
 * @throws as `openModel`; and if a process has other weights than rank 0
 */
export async function openAlike(
  config: Config,
  group: Group | undefined,
  signal: AbortSignal,
): Promise<OpenModel> {
  const opened = await openModel(config, { signal });
  if (group) await checkAlike(group, { weights: weightsName(opened.model) });
  return opened;
}

/** Hashes of what earlier notebooks made. */
async function inputHashes(stages: readonly string[], config: Config): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const stage of stages) {
    using run = await openInput(stage, config);
    for (const [name, { sha256 }] of Object.entries(run.manifest.outputs)) {
      hashes[`${stage}/${name}`] = sha256;
    }
  }
  return hashes;
}

/** @throws naming what differs, if a process of the group has something else than rank 0 */
async function checkAlike(group: Group, own: unknown): Promise<void> {
  const mine = canonicalJson(own); // lists hold objects whose keys must be in one order
  const first = await broadcast(group, group.rank === 0 ? { tensors: {}, text: mine } : null);
  const [theirs, ours] = [first.text, mine].map((text) => jsonLeaves(JSON.parse(text)));
  const places = new Set([...theirs.keys(), ...ours.keys()]);
  const different = [...places].filter((place) => theirs.get(place) !== ours.get(place));
  if (different.length === 0) return;
  throw new Error(
    `The worker of rank ${group.rank} differs from rank 0 in ${
      different.join(", ")
    }: start all in the same way, from the same files.`,
  );
}
