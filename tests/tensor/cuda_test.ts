import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { findDriver, gpuTraces } from "../../lib/tensor/cuda.ts";
import { CUDA_LIBRARIES, hasCompiler, makeDriver, makeSite, type Outcome, withDriver } from "./cuda_stub.ts";

const CUDA = new URL("../../lib/tensor/cuda.ts", import.meta.url).href;
const MOD = new URL("../../lib/tensor/mod.ts", import.meta.url).href;

const dir = await Deno.makeTempDir({ prefix: "cuda-" });
globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
const driver = hasCompiler ? await makeDriver(dir) : null, both = Object.values(driver ?? {});
const site = hasCompiler ? await makeSite(dir) : "";

/** A root folder in which the kernel shows a GPU. */
const root = join(dir, "root");
await Deno.mkdir(join(root, "dev"), { recursive: true });
await Deno.mkdir(join(root, "proc/driver/nvidia/gpus/0000:01:00.0"), { recursive: true });
await Deno.writeTextFile(join(root, "dev/nvidia0"), "");
await Deno.writeTextFile(join(root, "dev/nvidiactl"), "");

/** Looks for the driver, then loads CUDA's libraries of the played layout. */
const look = (libraries: readonly string[], env: Record<string, string> = {}, at = root): Promise<Outcome> =>
  withDriver(
    libraries,
    `import(${JSON.stringify(CUDA)}).then(({ findDriver, loadCuda }) => {
      const driver = findDriver(${JSON.stringify(at)});
      if (driver) loadCuda(${JSON.stringify(site)}, driver);
      return driver && { ...driver, usedBytes: driver.usedBytes() };
    })`,
    env,
  );

function withCompiler(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name} [needs a C compiler]`, ignore: !hasCompiler, fn });
}

Deno.test("a GPU is seen by its device file or the kernel's folder", () => {
  assertEquals(gpuTraces(root), ["/dev/nvidia0", "/proc/driver/nvidia/gpus/0000:01:00.0"]);
  assertEquals(gpuTraces(join(root, "dev")), []);
});

const real = (() => {
  try {
    Deno.dlopen("libcuda.so.1", {});
    return true;
  } catch {
    return false;
  }
})();

Deno.test({
  name:
    "a GPU without its driver's library is an error, a machine without a GPU none [needs a machine without]",
  ignore: real,
  fn: () => {
    assertEquals(findDriver(join(root, "dev")), null);
    const { message } = assertThrows(() => findDriver(root), Error);
    assertMatch(
      message,
      /^There is an NVIDIA GPU \(\/dev\/nvidia0\), but .*libcuda\.so\.1.*--gpus all.*LAB_DEVICE=cpu/,
    );
  },
});

withCompiler("the driver says what it is and what its GPU holds", async () => {
  const { error, result } = await look(both);
  assertEquals(error, null);
  assertEquals(result, {
    version: "575.57.08",
    cuda: "12.9",
    gpus: [{ name: "Stub 9000", memoryBytes: 16 * 2 ** 30, capability: "9.0" }],
    usedBytes: 5 * 2 ** 30,
  });
});

withCompiler("every CUDA library is loaded by its own path, after those that it needs", async () => {
  const { error, loaded } = await look(both);
  assertEquals(error, null);
  for (const file of Object.keys(CUDA_LIBRARIES)) assert(loaded.includes(join(site, "nvidia", file)), file);
});

withCompiler("a driver that keeps TensorFlow from the GPU is an error with the cause", async () => {
  const of = async (libraries: readonly string[], env: Record<string, string>, ...parts: string[]) => {
    const { error } = await look(libraries, env);
    for (const part of [...parts, "LAB_DEVICE=cpu"]) assertStringIncludes(error!, part);
    assertEquals(error!.match(/[.!?](\s|$)/g)?.length, 1, `one sentence: ${error}`);
  };
  await of(both, { STUB_CUDA: "11080" }, "too old", "575.57.08 (CUDA 11.8)", "525.60 (CUDA 12.0)");
  await of(both, { STUB_INIT: "803" }, "/dev/nvidia0", "CUDA_ERROR_STUB (803)");
  await of([driver!.cuda], {}, "libnvidia-ml.so.1", "NVIDIA_DRIVER_CAPABILITIES=compute,utility");
});

withCompiler("a CUDA library that is missing is named, with the one that asked for it", async () => {
  const without = async (file: string) => {
    const path = join(site, "nvidia", file);
    await Deno.rename(path, `${path}.away`);
    try {
      return (await look(both)).error;
    } finally {
      await Deno.rename(`${path}.away`, path);
    }
  };
  const [solver, linker] = [
    await without("cusolver/lib/libcusolver.so.11"),
    await without("nvjitlink/lib/libnvJitLink.so.12"),
  ];
  assertMatch(solver!, /library libcusolver\.so\.11 does not load .*No such file.*\.\/lab setup --gpu/);
  assertMatch(linker!, /library libcusparse\.so\.12 does not load \(libnvJitLink\.so\.12: /);
  assertEquals(await without("nccl/lib/libnccl.so.2"), null);
  await Deno.rename(join(site, "nvidia"), join(site, "away"));
  const { error } = await look(both);
  await Deno.rename(join(site, "away"), join(site, "nvidia"));
  assertMatch(error!, /TensorFlow for CPUs .*\.\/lab setup --gpu/);
});

withCompiler("GPUs that are hidden, or absent, are none", async () => {
  const of = async (env: Record<string, string>, at?: string) => {
    const { error, result } = await look(both, env, at);
    assertEquals([error, result], [null, null]);
  };
  await of({ STUB_INIT: "100", CUDA_VISIBLE_DEVICES: "" });
  await of({ STUB_COUNT: "0" });
  await of({ STUB_INIT: "100" }, join(root, "dev"));
});

const openEngine = (libraries: readonly string[], env: Record<string, string>) =>
  withDriver(
    libraries,
    `import(${JSON.stringify(MOD)}).then(({ devices, tf }) =>
      [devices().map(({ type }) => type), tf.add([1, 2], [3, 4]).arraySync()])`,
    env,
  );

withCompiler("a GPU that TensorFlow leaves out is an error, unless LAB_DEVICE=cpu", async () => {
  const env = { TF_DIR: join(site, "tensorflow") };
  const { error, loaded } = await openEngine(both, env);
  assertMatch(
    error!,
    /does not use the GPU .*Stub 9000, compute capability 9\.0, driver 575\.57\.08.*LAB_DEVICE=cpu/,
  );
  for (const file of Object.keys(CUDA_LIBRARIES)) assert(loaded.includes(join(site, "nvidia", file)), file);
  const { error: none, result } = await openEngine(both, { ...env, LAB_DEVICE: "cpu" });
  assertEquals([none, result], [null, [["CPU"], [4, 6]]]);
});

Deno.test("LAB_DEVICE is cpu, gpu or nothing, and gpu wants one", async () => {
  const of = async (LAB_DEVICE: string) => (await openEngine([], { LAB_DEVICE })).error;
  assertStringIncludes((await of("tpu"))!, 'LAB_DEVICE is "tpu"; expected cpu or gpu');
  if (!real) {
    assertStringIncludes((await of("gpu"))!, "LAB_DEVICE is gpu, but this process sees no NVIDIA GPU");
  }
});

const wheels = Deno.env.get("LAB_GPU_SITE");
Deno.test({
  name:
    "TensorFlow's GPU wheel finds all its libraries in pip's layout [needs LAB_GPU_SITE and a C compiler]",
  ignore: !hasCompiler || !wheels,
  fn: async () => {
    const { error, loaded } = await openEngine(both, { TF_DIR: join(wheels!, "tensorflow") });
    // It registers the GPU and asks CUDA for it, which has nothing to answer on the played driver.
    assertStringIncludes(error!, "cudaGetDevice() failed");
    for (const file of Object.keys(CUDA_LIBRARIES)) {
      assert(loaded.includes(join(wheels!, "nvidia", file)), file);
    }
  },
});
