import { assert, assertEquals } from "@std/assert";
import { createRequire } from "node:module";
import { fromFileUrl } from "@std/path";
import type { NamedTensorMap, Tensor } from "@tensorflow/tfjs";
import { tf } from "../../lib/tensor/mod.ts";
import { binding } from "../../lib/tensor/backend.ts";

interface Loaded {
  predict(inputs: NamedTensorMap): NamedTensorMap;
  dispose(): void;
}
/** tfjs-node's own loader, over our binding. */
const { loadSavedModel } = createRequire(import.meta.url)(
  "@tensorflow/tfjs-node-gpu/dist/saved_model.js",
) as {
  loadSavedModel(path: string, tags: string[], signature: string): Promise<Loaded>;
};
const PATH = fromFileUrl(new URL("fixtures/saved_model", import.meta.url));

Deno.test("a SavedModel of TensorFlow is loaded, run by signature (float32, int64) and freed", async () => {
  const model = await loadSavedModel(PATH, ["serve"], "serving_default");
  const y: Tensor = model.predict({ x: tf.tensor2d([[1, 2]]) }).y;
  assertEquals(y.arraySync(), [[3, 6]]);
  const double = await loadSavedModel(PATH, ["serve"], "double");
  const twice = double.predict({ x: tf.tensor1d([5, -7], "int32") }).y;
  assertEquals(Array.from(twice.dataSync(), Number), [10, -14]);
  assert(binding.getNumOfSavedModels() > 0);
  model.dispose();
  double.dispose();
  assertEquals(binding.getNumOfSavedModels(), 0);
});
