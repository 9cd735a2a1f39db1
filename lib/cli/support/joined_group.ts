/** What commands do that run in several processes at once. */
import { canonicalJson, computing, jsonLeaves, workerPlace } from "../../config/mod.ts";
import { broadcast, type Group, joinGroup } from "../../tensor/mod.ts";

/** Whether this process tells what happens: the only one, or the first of a group. */
export const tells = (group: Group | undefined): boolean => !group || group.rank === 0;

/**
 * The processes that the environment names, where this one is a worker; to be called before a model is opened.
 *
 * @param own what must be the same in all
 * @throws as `joinGroup`; and naming what differs, if a process was started otherwise than rank 0
 */
export async function joinedGroup(own: object): Promise<Group | undefined> {
  const place = workerPlace();
  if (!place) return undefined;
  const group = await joinGroup(place);
  await checkAlike(group, { ...own, device: group.gpu ? "GPU" : "CPU", versions: computing.versions });
  return group;
}

/** @throws naming what differs, if a process of the group was started otherwise than rank 0 */
async function checkAlike(group: Group, own: unknown): Promise<void> {
  const first = await broadcast(group, group.rank === 0 ? { tensors: {}, text: canonicalJson(own) } : null);
  const [theirs, ours] = [JSON.parse(first.text), own].map((one) => jsonLeaves(one));
  const places = new Set([...theirs.keys(), ...ours.keys()]);
  const different = [...places].filter((place) => theirs.get(place) !== ours.get(place));
  if (different.length === 0) return;
  throw new Error(
    `The worker of rank ${group.rank} differs from rank 0 in ${
      different.join(", ")
    }: start all in the same way.`,
  );
}
