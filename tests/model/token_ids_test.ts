import { assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { mergeImageFeatures } from "../../lib/model/paligemma.ts";
import { jit, tf } from "../../lib/tensor/mod.ts";
import type { PaliGemmaConfig } from "../../lib/weights/mod.ts";

Deno.test("a token id past the table is an error under XLA too, where the image's id lies past it as well", () => {
  const config = { imageTokenId: 6, text: { vocabSize: 4, hiddenSize: 2 } } as PaliGemmaConfig;
  const tensors = { "language_model.embed_tokens.weight": tf.ones([4, 2]) };
  const join = jit(
    (ids: Tensor) => mergeImageFeatures({ tensors, loraScale: 1 }, tf.ones([1, 2]), ids, config),
    { compiler: "xla" },
  );
  assertEquals(join(tf.tensor2d([[6, 1, 3]], [1, 3], "int32")).shape, [3, 2]);
  assertThrows(
    () => join(tf.tensor2d([[6, 1, 9]], [1, 3], "int32")),
    Error,
    "ids: the index value 9 is not in [0, 6]",
  );
});
