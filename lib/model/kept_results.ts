import { kept } from "../artifacts/mod.ts";
import { finiteJson, sha256, writeFileAtomic } from "../config/mod.ts";
import { broadcast, type Group, matmulPrecision, shareItems } from "../tensor/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import { paramsSha256 } from "../weights/mod.ts";
import type { ImageStore } from "./image_store.ts";
import type { Model } from "./paligemma.ts";

/** A model with what reads questions and images for it. */
export interface NamedModel {
  /** The model. */
  model: Model;
  /** Of its text. */
  tokenizer: Tokenizer;
  /** Of its images. */
  store: ImageStore;
  /** Names its weights: equal names, equal weights. */
  weights: string;
}

/** A name of a model's weights, which are those of its adapter too; each tensor is read once. */
export function weightsName({ params, adapter }: Pick<Model, "params" | "adapter">): string {
  const names = [paramsSha256(params)];
  if (adapter) {
    const { config: { r, alpha }, params: matrices, projector = {} } = adapter;
    names.push(JSON.stringify([r, alpha, paramsSha256(matrices), paramsSha256(projector)]));
  }
  return names.join();
}

const vocabularies = new WeakMap<Tokenizer, string>();

/** Hash of what each id means. */
function vocabularySha256(tokenizer: Tokenizer): string {
  let known = vocabularies.get(tokenizer);
  if (!known) {
    const tokens = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id) ?? null);
    vocabularies.set(tokenizer, known = sha256(JSON.stringify(tokens)));
  }
  return known;
}

/**
 * What `make` gives, or gave when it was called the last time about the same model with the same key. In a group rank 0 alone
 * looks for what is kept and keeps it; where nothing is, all make it together.
 *
 * @param room whose code makes the result
 * @param kind a word that names a folder
 * @param key all else that the result depends on; becomes JSON
 * @param make its result becomes JSON
 * @throws as `make`, and as `broadcast`; on a result with a number that is not finite
 */
export async function keptResult<Result>(
  room: string,
  kind: string,
  { model, tokenizer, store, weights }: NamedModel,
  key: unknown,
  make: () => Promise<Result>,
  group?: Group,
): Promise<Result> {
  if (group && group.rank > 0) {
    const { text } = await broadcast(group, null);
    return text === "" ? await make() : JSON.parse(text);
  }
  const about = {
    model: [model.config, model.dtype, store.size, matmulPrecision()],
    vocabulary: vocabularySha256(tokenizer),
  };
  let isMade = false;
  const path = await kept(room, kind, { weights, ...about, key }, async (path) => {
    isMade = true;
    if (group) await broadcast(group, { tensors: {}, text: "" });
    await writeFileAtomic(path, finiteJson(await make()));
  });
  const text = await Deno.readTextFile(path);
  if (group && !isMade) await broadcast(group, { tensors: {}, text });
  return JSON.parse(text);
}

/** How results for items are kept and shared. */
export interface KeptItems {
  /** Whose code makes them. */
  room: string;
  /** A word that names a folder. */
  kind: string;
  /** Items whose results are kept together: what a killed run may have to make again. */
  together: number;
  /** Whose results they are; without it none is kept. */
  named?: NamedModel;
  /** Processes that share the items; all get all results. */
  group?: Group;
}

/**
 * What `make` gives for items, in their order: {@linkcode keptResult} of some items at a time, of which each process of a group
 * makes its share.
 *
 * @param keyOf all that the results for some items depend on; becomes JSON
 * @param make results for items, in their order; they become JSON
 * @throws as `make`, and as `broadcast`
 */
export async function keptItems<Item, Result>(
  { room, kind, together, named, group }: KeptItems,
  items: readonly Item[],
  keyOf: (some: readonly Item[]) => unknown,
  make: (own: readonly Item[]) => Promise<Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += together) {
    const some = items.slice(start, start + together), made = () => shareItems(some, group, make);
    results.push(...await (named ? keptResult(room, kind, named, keyOf(some), made, group) : made()));
  }
  return results;
}
