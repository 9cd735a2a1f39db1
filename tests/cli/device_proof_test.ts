import { assert, assertEquals } from "@std/assert";
import { proveDevice } from "../../lib/cli/support/device_proof.ts";
import { devices, tf } from "../../lib/tensor/mod.ts";

Deno.test("the device that computes is named, multiplies bfloat16 matrices rightly, and XLA compiles for it", async () => {
  const { numTensors } = tf.memory(), proof = await proveDevice();
  assertEquals([proof.product.right, proof.xla.right], [true, true]);
  assert(proof.product.tflops > 0 && proof.xla.seconds > 0 && proof.memoryBytes > 2 ** 30);
  assertEquals(proof.device.split(":")[0], devices().at(-1)!.type);
  assertEquals(proof.driver === null, proof.device === "CPU:0");
  assert(proof.name.length > 3);
  assertEquals(tf.memory().numTensors, numTensors);
});
