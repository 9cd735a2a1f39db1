/** NVIDIA's driver and CUDA's libraries: whether there is a GPU, what would keep TensorFlow from it, what it holds. */
import { join } from "@std/path";
import { cString, fromCString } from "./pointers.ts";

/** A GPU as the driver describes it. */
export interface Gpu {
  /** Name of the device. */
  readonly name: string;
  /** Its memory. */
  readonly memoryBytes: number;
  /** Compute capability, as "9.0". */
  readonly capability: string;
}

/** NVIDIA's driver, running, with at least one GPU that this process may use. */
export interface Driver {
  /** As "580.82.07". */
  readonly version: string;
  /** The newest CUDA that it runs, as "13.0". */
  readonly cuda: string;
  /** Devices that the driver sees. */
  readonly gpus: readonly Gpu[];
  /** What all processes hold of the first GPU's memory now; null where the driver does not tell. */
  readonly usedBytes: () => number | null;
}

const B = "buffer", I = "i32";
const CUDA = {
  cuInit: { parameters: ["u32"], result: I },
  cuGetErrorName: { parameters: [I, B], result: I },
  cuDriverGetVersion: { parameters: [B], result: I },
  cuDeviceGetCount: { parameters: [B], result: I },
  cuDeviceGet: { parameters: [B, I], result: I },
  cuDeviceGetName: { parameters: [B, I, I], result: I },
  cuDeviceTotalMem_v2: { parameters: [B, I], result: I },
  cuDeviceGetAttribute: { parameters: [B, I, I], result: I },
  cuDevicePrimaryCtxRetain: { parameters: [B, I], result: I },
  cuDevicePrimaryCtxRelease_v2: { parameters: [I], result: I },
  cuCtxPushCurrent_v2: { parameters: ["pointer"], result: I },
  cuCtxPopCurrent_v2: { parameters: [B], result: I },
  cuMemGetInfo_v2: { parameters: [B, B], result: I },
} as const;
const NVML = {
  nvmlInit_v2: { parameters: [], result: I },
  nvmlSystemGetDriverVersion: { parameters: [B, "u32"], result: I },
} as const;
const LIBC = {
  dlopen: { parameters: [B, I], result: "pointer" },
  dlerror: { parameters: [], result: "pointer" },
} as const;

type Cuda = Deno.DynamicLibrary<typeof CUDA>["symbols"];

/** CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR */
const MAJOR = 75, MINOR = 76;
/** CUDA 12's libraries run on the driver that came with 12.0 and on every later one ("minor version compatibility"). */
const NEEDED = { cuda: 12_000, text: "525.60 (CUDA 12.0)" };
const RTLD_LAZY_NODELETE = 0x1001;

/**
 * What TensorFlow opens by name, in the folder `nvidia` beside it, each after those that it needs. Without the optional
 * ones it registers a GPU all the same.
 */
const LIBRARIES: readonly { file: string; optional?: true }[] = [
  { file: "cuda_runtime/lib/libcudart.so.12" },
  { file: "cuda_nvrtc/lib/libnvrtc.so.12", optional: true },
  { file: "cuda_cupti/lib/libcupti.so.12", optional: true },
  { file: "cublas/lib/libcublasLt.so.12" },
  { file: "cublas/lib/libcublas.so.12" },
  { file: "nvjitlink/lib/libnvJitLink.so.12", optional: true },
  { file: "cusparse/lib/libcusparse.so.12" },
  { file: "cusolver/lib/libcusolver.so.11" },
  { file: "cufft/lib/libcufft.so.11" },
  { file: "curand/lib/libcurand.so.10", optional: true },
  { file: "cudnn/lib/libcudnn.so.9" },
  { file: "nccl/lib/libnccl.so.2", optional: true },
];

const CPU_INSTEAD = "set LAB_DEVICE=cpu to compute without the GPU";

/** Where one sees that a machine has an NVIDIA GPU, whatever its driver says: `/dev/nvidia0`. */
export function gpuTraces(root = "/"): string[] {
  const entries = (dir: string) => {
    try {
      return [...Deno.readDirSync(join(root, dir))].map(({ name }) => name).sort();
    } catch {
      return [];
    }
  };
  return [
    ...entries("dev").filter((name) => /^nvidia\d+$/.test(name)).map((name) => `/dev/${name}`),
    ...entries("proc/driver/nvidia/gpus").map((name) => `/proc/driver/nvidia/gpus/${name}`),
  ];
}

function open<S extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] | string {
  try {
    return Deno.dlopen(name, symbols).symbols;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Calls f with memory for one integer that it writes. @throws if the driver refuses */
function integer(what: string, f: (at: Int32Array<ArrayBuffer>) => number): number {
  const at = new Int32Array(1), code = f(at);
  if (code !== 0) throw new Error(`NVIDIA's driver does not answer (${what} gave the error ${code}).`);
  return at[0];
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
const versionText = (cuda: number): string => `${Math.floor(cuda / 1000)}.${Math.floor(cuda % 1000 / 10)}`;

function errorName(cuda: Cuda, code: number): string {
  const at = new BigUint64Array(1);
  return cuda.cuGetErrorName(code, at) === 0
    ? `${fromCString(Deno.UnsafePointer.create(at[0]))} (${code})`
    : `${code}`;
}

function describe(cuda: Cuda, index: number): Gpu {
  const name = new Uint8Array(128), bytes = new BigUint64Array(1);
  const device = integer("cuDeviceGet", (at) => cuda.cuDeviceGet(at, index));
  cuda.cuDeviceGetName(name, name.length - 1, device);
  cuda.cuDeviceTotalMem_v2(bytes, device);
  const [major, minor] = [MAJOR, MINOR].map((attribute) =>
    integer("cuDeviceGetAttribute", (at) => cuda.cuDeviceGetAttribute(at, attribute, device))
  );
  return { name: text(name), memoryBytes: Number(bytes[0]), capability: `${major}.${minor}` };
}

/** cuMemGetInfo in the first GPU's context, which TensorFlow made; null where the driver does not tell. */
function usedBytes(cuda: Cuda): number | null {
  const device = new Int32Array(1), context = new BigUint64Array(1);
  const free = new BigUint64Array(1), total = new BigUint64Array(1);
  if (cuda.cuDeviceGet(device, 0) !== 0 || cuda.cuDevicePrimaryCtxRetain(context, device[0]) !== 0) {
    return null;
  }
  try {
    if (cuda.cuCtxPushCurrent_v2(Deno.UnsafePointer.create(context[0])) !== 0) return null;
    const code = cuda.cuMemGetInfo_v2(free, total);
    cuda.cuCtxPopCurrent_v2(context);
    return code === 0 ? Number(total[0] - free[0]) : null;
  } finally {
    cuda.cuDevicePrimaryCtxRelease_v2(device[0]);
  }
}

/**
 * NVIDIA's driver; null where there is no GPU, or CUDA_VISIBLE_DEVICES hides all.
 * @throws Error, one sentence, if there is a GPU that TensorFlow could not use: its driver's libraries are not there, it
 * does not start, or it is too old
 */
export function findDriver(root = "/"): Driver | null {
  const traces = gpuTraces(root), there = traces.length > 0 ? `There is an NVIDIA GPU (${traces[0]})` : null;
  const cuda = open("libcuda.so.1", CUDA);
  if (typeof cuda === "string") {
    if (!there) return null;
    throw new Error(
      `${there}, but its driver's library libcuda.so.1 does not load (${cuda}): install NVIDIA's driver, start a ` +
        `container with its GPUs (--gpus all), or ${CPU_INSTEAD}.`,
    );
  }
  const started = cuda.cuInit(0);
  if (started !== 0) {
    if (!there || Deno.env.get("CUDA_VISIBLE_DEVICES") !== undefined) return null;
    throw new Error(
      `${there}, but its driver does not start (cuInit: ${errorName(cuda, started)}): look at nvidia-smi, ` +
        `reload or reinstall the driver, or ${CPU_INSTEAD}.`,
    );
  }
  const count = integer("cuDeviceGetCount", (at) => cuda.cuDeviceGetCount(at));
  if (count === 0) return null;
  const gpus = Array.from({ length: count }, (_, i) => describe(cuda, i)), [{ name }] = gpus;
  const nvml = open("libnvidia-ml.so.1", NVML);
  // Without it TensorFlow leaves the GPU out and says nothing.
  if (typeof nvml === "string" || nvml.nvmlInit_v2() !== 0) {
    throw new Error(
      `There is a GPU (${name}), but its driver's library libnvidia-ml.so.1 does not ` +
        (typeof nvml === "string" ? `load (${nvml})` : "start") +
        `, without which TensorFlow does not use it: install all of NVIDIA's driver, start a container with ` +
        `NVIDIA_DRIVER_CAPABILITIES=compute,utility, or ${CPU_INSTEAD}.`,
    );
  }
  const buffer = new Uint8Array(81);
  nvml.nvmlSystemGetDriverVersion(buffer, 80);
  const found = integer("cuDriverGetVersion", (at) => cuda.cuDriverGetVersion(at)), version = text(buffer);
  if (found < NEEDED.cuda) {
    throw new Error(
      `NVIDIA's driver is too old for the GPU (${name}): expected ${NEEDED.text} or newer, found ${version} ` +
        `(CUDA ${versionText(found)}); update the driver, or ${CPU_INSTEAD}.`,
    );
  }
  return { version, cuda: versionText(found), gpus, usedBytes: () => usedBytes(cuda) };
}

/**
 * Loads CUDA's libraries, each by its own path, before TensorFlow asks for them by name: the search path built into it
 * lacks some of their folders. They stay loaded.
 *
 * @param site the folder of Python packages in which TensorFlow lies
 * @throws Error, one sentence, if one that TensorFlow needs is not there or does not load
 */
export function loadCuda(site: string, { gpus: [{ name }] }: Driver): void {
  const folder = join(site, "nvidia");
  try {
    Deno.statSync(folder);
  } catch {
    throw new Error(
      `There is a GPU (${name}), but this is TensorFlow for CPUs (no CUDA libraries in ${folder}): run ` +
        `./lab setup --gpu, or ${CPU_INSTEAD}.`,
    );
  }
  const libc = Deno.dlopen("libc.so.6", LIBC);
  try {
    for (const { file, optional } of LIBRARIES) {
      if (libc.symbols.dlopen(cString(join(folder, file)), RTLD_LAZY_NODELETE) !== null || optional) continue;
      throw new Error(
        `There is a GPU (${name}), but CUDA's library ${file.split("/").at(-1)} does not load (${
          fromCString(libc.symbols.dlerror())
        }): run ./lab setup --gpu again, or ${CPU_INSTEAD}.`,
      );
    }
  } finally {
    libc.close();
  }
}
