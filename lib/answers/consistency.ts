import { type Config, limited, rng, sha256 } from "../config/mod.ts";
import { type AskedItem, exact, normaliseAnswer, type Prediction } from "../evaluation/mod.ts";
import { type ImageStore, imageStore } from "../model/mod.ts";
import { type ClusteredShare, clusteredShare, type Interval } from "../stats/mod.ts";
import type { Group } from "../tensor/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import type { ReadySystem } from "./ask_cell.ts";
import { askModel } from "./ask_model.ts";

/** RGB bytes `[size, size, 3]` to as many, changed. */
type Change = (data: Uint8Array, size: number) => Promise<Uint8Array>;

const raw = (size: number) => ({ raw: { width: size, height: size, channels: 3 as const } });

/** Questions that notebook 06 asks again about changed pictures. */
export const CHANGED_ITEMS = 100;

/** Changes of a picture that leave what it shows, and the right answer, as they are. */
export const SMALL_CHANGES = {
  "turned by 5°": async (data, size) => {
    const { default: sharp } = await import("sharp");
    const turned = await sharp(data, raw(size)).rotate(5, { background: "black" }).raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = turned.info, [left, top] = [width - size, height - size].map((x) => x >> 1);
    return await sharp(turned.data, { raw: turned.info }).extract({ left, top, width: size, height: size })
      .raw()
      .toBuffer();
  },
  "4 % cut off each side": async (data, size) => {
    const { default: sharp } = await import("sharp");
    const cut = Math.max(1, Math.round(0.04 * size)), side = size - 2 * cut;
    return await sharp(data, raw(size)).extract({ left: cut, top: cut, width: side, height: side })
      .resize(size, size, { fit: "fill" }).raw().toBuffer();
  },
  "10 % brighter": (data) => Promise.resolve(data.map((x) => Math.min(255, Math.round(1.1 * x)))),
  "JPEG, quality 50": async (data, size) => {
    const { default: sharp } = await import("sharp");
    return await sharp(await sharp(data, raw(size)).jpeg({ quality: 50 }).toBuffer()).removeAlpha().raw()
      .toBuffer();
  },
  "noise of 5 levels": (data) => {
    const random = rng(`noise/${sha256(data)}`), // not by its path, which is another one on each machine
      normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Promise.resolve(data.map((x) => Math.max(0, Math.min(255, Math.round(x + 5 * normal())))));
  },
} as const satisfies Record<string, Change>;
/** One of {@linkcode SMALL_CHANGES}. */
export type SmallChange = keyof typeof SMALL_CHANGES;

const changedStores = new WeakMap<ImageStore, Partial<Record<SmallChange, ImageStore>>>();

/**
 * A store that gives the images of another one changed. Of one store there is one for each change, which keeps what it has
 * made: all systems are asked about the same images.
 */
export function changedStore(store: ImageStore, change: SmallChange): ImageStore {
  const known = changedStores.get(store) ?? {};
  changedStores.set(store, known);
  return known[change] ??= {
    ...store,
    get: imageStore(store.size, async (path) => SMALL_CHANGES[change](await store.get(path), store.size)).get,
  };
}

/** How a system's greedy answers hold when the image is changed a little. */
export interface Consistency {
  /** What is changed. */
  change: SmallChange;
  /** Items asked. */
  items: number;
  /** Items whose answer stays the same (after lower-casing and trimming), right or wrong. */
  same: ClusteredShare;
  /** Exact match as it is, and with the change. */
  accuracy: number;
  /** See `accuracy`. */
  changedAccuracy: Interval;
}

/**
 * A system's greedy answers to items, and again with each small change of their images. A system that says the same to every
 * image is perfectly consistent: read it beside the accuracy.
 *
 * @throws the signal's reason between two batches, once it is aborted
 */
export async function consistency(
  { model, weights }: ReadySystem,
  tokenizer: Tokenizer,
  store: ImageStore,
  items: readonly AskedItem[],
  config: Config,
  { signal, group }: { signal?: AbortSignal; group?: Group } = {},
): Promise<Consistency[]> {
  const used = items.slice(0, limited(items.length, config));
  const ask = (from: ImageStore, name: string) =>
    askModel(model, tokenizer, from, used, config, {
      runs: 1,
      weights: weights === undefined ? undefined : `${weights} ${name}`,
      signal,
      group,
    });
  if (used.length === 0) return [];
  const plain = await ask(store, "as it is"), found: Consistency[] = [];
  for (const change of Object.keys(SMALL_CHANGES) as SmallChange[]) {
    found.push(consistencyOf(change, used, plain, await ask(changedStore(store, change), change)));
  }
  return found;
}

/** Two lists of answers to the same items, in their order. @throws if they are not */
export function consistencyOf(
  change: SmallChange,
  items: readonly AskedItem[],
  plain: readonly Prediction[],
  changed: readonly Prediction[],
): Consistency {
  if (items.some(({ id }, i) => plain[i]?.id !== id || changed[i]?.id !== id)) {
    throw new Error(`Expected answers to ${items.length} items in their order, twice; found others.`);
  }
  const images = items.map(({ imageId }) => imageId);
  const right = (answers: readonly Prediction[]) =>
    clusteredShare(items.map((item, i) => exact({ ...item, prediction: answers[i].answer })!), images);
  const same = items.map((_, i) =>
    Number(normaliseAnswer(plain[i].answer) === normaliseAnswer(changed[i].answer))
  );
  return {
    change,
    items: items.length,
    same: clusteredShare(same, images),
    accuracy: right(plain).estimate,
    changedAccuracy: right(changed),
  };
}
