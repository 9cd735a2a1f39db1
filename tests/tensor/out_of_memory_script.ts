/** Asks for more memory than its process may have, says what came of it, and goes on. */
import { allocTensor, tf } from "../../lib/tensor/mod.ts";

try {
  allocTensor([1.75e9], "float32", () => {});
} catch (error) {
  console.log((error as Error).message);
}
console.log(tf.add(tf.scalar(40), 2).dataSync()[0]);
