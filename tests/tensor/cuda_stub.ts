/** A played NVIDIA driver and a played layout of pip's CUDA packages, for machines without a GPU. Needs a C compiler. */
import { assert } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { findLibraries } from "../../lib/tensor/library.ts";

const here = dirname(fromFileUrl(import.meta.url)), config = join(here, "../../deno.json");

async function cc(...args: string[]): Promise<boolean> {
  try {
    const { success, stderr } = await new Deno.Command("cc", { args, stderr: "piped" }).output();
    if (!success) console.error(new TextDecoder().decode(stderr));
    return success;
  } catch {
    return false;
  }
}

export const hasCompiler = await cc("--version");

/** What TensorFlow opens, with what the real libraries need of one another. */
export const CUDA_LIBRARIES: Record<string, readonly string[]> = {
  "cuda_runtime/lib/libcudart.so.12": [],
  "cuda_nvrtc/lib/libnvrtc.so.12": [],
  "cuda_cupti/lib/libcupti.so.12": [],
  "cublas/lib/libcublasLt.so.12": [],
  "cublas/lib/libcublas.so.12": ["cublas/lib/libcublasLt.so.12"],
  "nvjitlink/lib/libnvJitLink.so.12": [],
  "cusparse/lib/libcusparse.so.12": ["nvjitlink/lib/libnvJitLink.so.12"],
  "cusolver/lib/libcusolver.so.11": [
    "nvjitlink/lib/libnvJitLink.so.12",
    "cusparse/lib/libcusparse.so.12",
    "cublas/lib/libcublas.so.12",
    "cublas/lib/libcublasLt.so.12",
  ],
  "cufft/lib/libcufft.so.11": [],
  "curand/lib/libcurand.so.10": [],
  "cudnn/lib/libcudnn.so.9": [],
  "nccl/lib/libnccl.so.2": [],
};

const shared = (path: string, ...args: string[]) =>
  cc("-shared", "-fPIC", "-w", "-o", path, `-Wl,-soname,${path.split("/").at(-1)}`, ...args);

/** Builds the driver's two libraries in a folder. */
export async function makeDriver(dir: string): Promise<{ cuda: string; nvml: string }> {
  const driver = { cuda: join(dir, "libcuda.so.1"), nvml: join(dir, "libnvidia-ml.so.1") };
  for (const path of Object.values(driver)) assert(await shared(path, join(here, "cuda_stub.c")), path);
  return driver;
}

/** Builds a folder of Python packages: TensorFlow as it is installed, and empty CUDA libraries that need one another. */
export async function makeSite(dir: string): Promise<string> {
  const site = join(dir, "site-packages"), { framework, cc } = findLibraries(), empty = join(dir, "empty.c");
  await Deno.mkdir(join(site, "tensorflow"), { recursive: true });
  for (const path of [framework, cc]) {
    await Deno.symlink(path, join(site, "tensorflow", path.split("/").at(-1)!));
  }
  await Deno.writeTextFile(empty, "int nothing;\n");
  for (const [file, needs] of Object.entries(CUDA_LIBRARIES)) {
    const path = join(site, "nvidia", file);
    await Deno.mkdir(dirname(path), { recursive: true });
    const linked = needs.map((need) => join(site, "nvidia", need));
    assert(await shared(path, empty, "-Wl,--no-as-needed", ...linked), path);
  }
  return site;
}

/** What came of a process that has the libraries of a played driver loaded. */
export interface Outcome {
  readonly error: string | null;
  readonly result: unknown;
  /** Libraries in its memory, by path, in the order in which the addresses lie. */
  readonly loaded: readonly string[];
}

/**
 * Runs an expression of TypeScript in a process of its own, after the played driver's libraries were loaded by path, so
 * that `libcuda.so.1` names them: no search path is set.
 */
export async function withDriver(
  libraries: readonly string[],
  expression: string,
  env: Record<string, string> = {},
): Promise<Outcome> {
  const code = `
    for (const path of ${JSON.stringify(libraries)}) Deno.dlopen(path, {});
    let error = null, result = null;
    try {
      result = await (${expression});
    } catch (e) {
      error = e.message;
    }
    const loaded = new Set([...Deno.readTextFileSync("/proc/self/maps").matchAll(/ (\\/.*\\.so[.\\d]*)$/gm)].map((m) => m[1]));
    console.log("\\n" + JSON.stringify({ error, result, loaded: [...loaded] }));
    Deno.exit();`;
  const { LD_LIBRARY_PATH: _, LAB_DEVICE: __, CUDA_VISIBLE_DEVICES: ___, ...rest } = Deno.env.toObject();
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `--config=${config}`, code],
    clearEnv: true,
    env: { ...rest, ...env },
  }).output();
  const line = new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!;
  assert(line.startsWith("{"), new TextDecoder().decode(stderr));
  return JSON.parse(line);
}
