/** The eager context and what every call into TensorFlow needs. */
import { type CApi, openLibraries } from "./c_api.ts";
import { type Driver, findDriver, loadCuda } from "./cuda.ts";
import { findLibraries } from "./library.ts";
import { memoryError } from "./out_of_memory.ts";
import { fromCString, type Pointer, present } from "./pointers.ts";

export interface Device {
  /** `/job:localhost/replica:0/task:0/device:GPU:0` */
  readonly name: string;
  /** CPU or GPU */
  readonly type: string;
  readonly memoryBytes: number;
}

export interface Runtime {
  readonly C: CApi;
  readonly status: Pointer;
  readonly context: Pointer;
  readonly devices: readonly Device[];
  /** Name of the first GPU, where tensors are put if there is one. */
  readonly gpu: string | null;
  /** NVIDIA's, where there is a GPU. */
  readonly driver: Driver | null;
  readonly version: string;
}

/**
 * Throws if the last call on the runtime's status failed: {@linkcode OutOfMemory} where memory was used up.
 * Else the first two lines are those of tfjs-node's addon, which callers may match.
 */
export function check(rt: Pick<Runtime, "C" | "status">, where: string | (() => string)): void {
  const code = rt.C.TF_GetCode(rt.status);
  if (code === 0) return;
  const message = fromCString(rt.C.TF_Message(rt.status)),
    place = typeof where === "string" ? where : where();
  throw memoryError(code, message, place) ??
    new Error(`Invalid TF_Status: ${code}\nMessage: ${message}\nin ${place}`);
}

/** ConfigProto { gpu_options (6): GPUOptions { allow_growth (4): true } }, in protobuf's wire format. */
const ALLOW_GROWTH = [6 << 3 | 2, 2, 4 << 3 | 0, 1];
/** ConfigProto { device_count (1): { "GPU": 0 } } */
const NO_GPU = [1 << 3 | 2, 7, 1 << 3 | 2, 3, ...new TextEncoder().encode("GPU"), 2 << 3 | 0, 0];

/**
 * What LAB_DEVICE asks for: cpu, gpu, or "" for a GPU where there is one.
 * @throws if it is something else
 */
function wantedDevice(): "cpu" | "gpu" | "" {
  const wanted = Deno.env.get("LAB_DEVICE") ?? "";
  if (wanted === "cpu" || wanted === "gpu" || wanted === "") return wanted;
  throw new Error(
    `LAB_DEVICE is "${wanted}"; expected cpu or gpu, or unset it for a GPU where there is one.`,
  );
}

function listDevices(rt: Pick<Runtime, "C" | "status" | "context">): Device[] {
  const { C, status, context } = rt, list = C.TFE_ContextListDevices(context, status);
  check(rt, "TFE_ContextListDevices");
  const devices = Array.from({ length: C.TF_DeviceListCount(list) }, (_, i) => ({
    name: fromCString(C.TF_DeviceListName(list, i, status)),
    type: fromCString(C.TF_DeviceListType(list, i, status)),
    memoryBytes: Number(C.TF_DeviceListMemoryBytes(list, i, status)),
  }));
  C.TF_DeleteDeviceList(list);
  return devices;
}

/**
 * Loads TensorFlow and makes its context. On a GPU, memory is taken as it is needed, not all at once.
 * @throws if TensorFlow is not installed; unless LAB_DEVICE is cpu, if there is a GPU that it cannot use (with the cause);
 * if LAB_DEVICE is gpu and there is none
 */
export function openRuntime(): Runtime {
  const wanted = wantedDevice(), libraries = findLibraries(), driver = wanted === "cpu" ? null : findDriver();
  if (driver) loadCuda(libraries.site, driver);
  else if (wanted === "gpu") {
    throw new Error(
      "LAB_DEVICE is gpu, but this process sees no NVIDIA GPU (no libcuda.so.1, or CUDA_VISIBLE_DEVICES hides all): use a " +
        "machine or a container with one, or unset it.",
    );
  }
  const C = openLibraries(libraries), status = present(C.TF_NewStatus(), "a status");
  C.enableTF32(false); // see setMatmulPrecision
  const options = present(C.TFE_NewContextOptions(), "the context's options");
  const config = Uint8Array.from([...ALLOW_GROWTH, ...(wanted === "cpu" ? NO_GPU : [])]);
  C.TFE_ContextOptionsSetConfig(options, config, BigInt(config.length), status);
  check({ C, status }, "TFE_ContextOptionsSetConfig");
  const context = C.TFE_NewContext(options, status);
  check({ C, status }, "TFE_NewContext");
  C.TFE_DeleteContextOptions(options);
  const devices = listDevices({ C, status, context }), version = fromCString(C.TF_Version());
  const gpu = devices.find((d) => d.type === "GPU")?.name ?? null;
  if (driver && !gpu) {
    const [{ name, capability }] = driver.gpus;
    throw new Error(
      `TensorFlow ${version} does not use the GPU that is there (${name}, compute capability ${capability}, driver ` +
        `${driver.version}): look for the cause in what it says with TF_CPP_MIN_LOG_LEVEL=0, or set LAB_DEVICE=cpu to ` +
        "compute without the GPU.",
    );
  }
  return { C, status, context, devices, gpu, driver, version };
}
