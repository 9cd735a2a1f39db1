import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { computing } from "../../lib/config/mod.ts";
import { devices, gpuDriver, tensorflowVersion, tf } from "../../lib/tensor/mod.ts";

const MOD = new URL("../../lib/tensor/mod.ts", import.meta.url).href;
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

async function script(code: string, env: Record<string, string> = {}) {
  const { code: exit, signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `--config=${CONFIG}`, code],
    env,
    stdout: "null",
    stderr: "piped",
  }).output();
  return { exit, signal, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("the backend is TensorFlow 2.21 and set", () => {
  assertMatch(tensorflowVersion, /^2\.21\./);
  assertEquals(tf.getBackend(), "tensorflow");
  assertEquals(tf.add([1, 2], [3, 4]).arraySync(), [4, 6]);
});

Deno.test("manifests are told TensorFlow's version and the device", () => {
  assertEquals(computing.versions.tensorflow, tensorflowVersion);
  const hasGpu = devices().some(({ type }) => type === "GPU");
  assertEquals(computing.device, hasGpu ? gpuDriver()!.gpus[0].name : "CPU");
});

Deno.test("devices are listed, the CPU first", () => {
  const [cpu] = devices();
  assertEquals(cpu.type, "CPU");
  assertStringIncludes(cpu.name, "device:CPU:0");
  assert(cpu.memoryBytes > 0);
});

Deno.test("without TensorFlow the error names the place and the remedy", async () => {
  const { exit, stderr } = await script(`await import("${MOD}")`, { TF_DIR: "/nowhere" });
  assertEquals(exit, 1);
  assertStringIncludes(stderr, "libtensorflow_cc.so.2");
  assertStringIncludes(stderr, "TF_DIR (/nowhere)");
  assertStringIncludes(stderr, "./lab setup");
});

Deno.test("an uncaught error ends the program with its message, not with a crash", async () => {
  const { exit, signal, stderr } = await script(
    `const { tf } = await import("${MOD}"); tf.add([1], [2]).dataSync(); throw new Error("as it is");`,
  );
  assertEquals([exit, signal], [1, null]);
  assertStringIncludes(stderr, "as it is");
});

Deno.test("nothing is printed when TensorFlow is loaded, runs and compiles, unless it is asked for", async () => {
  const code = `const { jit, tf } = await import("${MOD}");
    jit((x) => tf.mul(x, 2), { compiler: "xla" })(tf.ones([2])).dataSync();`;
  const quiet = await script(code, { TF_CPP_MIN_LOG_LEVEL: "" });
  assertEquals([quiet.exit, quiet.stderr], [0, ""]);
  const verbose = await script(code, { TF_CPP_MIN_LOG_LEVEL: "0" });
  assertStringIncludes(verbose.stderr, "Compiled cluster using XLA");
});
