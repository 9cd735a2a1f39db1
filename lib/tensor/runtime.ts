/** The eager context and what every call into TensorFlow needs. */
import { type CApi, openLibraries } from "./c_api.ts";
import { type Driver, findDriver, loadCuda } from "./cuda.ts";
import { findLibraries } from "./library.ts";
import { memoryError } from "./out_of_memory.ts";
import { fromCString, type Pointer, present } from "./pointers.ts";
import { int, message, text } from "./wire.ts";

/** A device that TensorFlow computes on. */
export interface Device {
  /** `/job:localhost/replica:0/task:0/device:GPU:0` */
  readonly name: string;
  /** CPU or GPU */
  readonly type: string;
  /** Memory that TensorFlow may use. */
  readonly memoryBytes: number;
}

export interface Runtime {
  readonly C: CApi;
  readonly status: Pointer;
  readonly context: Pointer;
  devices: readonly Device[];
  /** Name of the first GPU, where tensors are put if there is one. */
  gpu: string | null;
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

/** ConfigProto { gpu_options (6): GPUOptions { allow_growth (4): true } } */
const ALLOW_GROWTH = message(6, int(4, 1));
/** ConfigProto { device_count (1): { "GPU": 0 } } */
const NO_GPU = message(1, [...text(1, "GPU"), ...int(2, 0)]);

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

/** ConfigProto { intra_op_parallelism_threads (2) }; 0: one for each core. */
const threads = (): number[] => int(2, Number(Deno.env.get("LAB_THREADS") ?? 0));

/** The ConfigProto of everything that computes in this process. */
const configProto = (): number[] => [
  ...ALLOW_GROWTH,
  ...threads(),
  ...(wantedDevice() === "cpu" ? NO_GPU : []),
];

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

const firstGpu = (devices: readonly Device[]): string | null =>
  devices.find(({ type }) => type === "GPU")?.name ?? null;

/** A process of several by its number in the cluster, as devices' names begin: `/job:worker/replica:0/task:1`. */
export const taskName = (rank: number): string => `/job:worker/replica:0/task:${rank}`;

/**
 * Makes this process one of several that compute together: its devices are made anew, under names that tell the process
 * (`/job:worker/replica:0/task:1/device:GPU:0`), and a gRPC server answers the others at this process's address, on all
 * of the machine's interfaces and without asking who they are. Tensors that are there already are not to be used then.
 *
 * @throws if the address cannot be listened at
 */
export function joinCluster(rt: Runtime, rank: number, addresses: readonly string[]): void {
  // ServerDef { cluster (1): { job (1): { name (1), tasks (2): { index: address } } }, job_name (2), task_index (3),
  // default_session_config (4): ConfigProto { experimental (16): { collective_group_leader (1) } }, protocol (5) }
  const tasks = addresses.flatMap((address, i) => message(2, [...int(1, i), ...text(2, address)]));
  const config = [...configProto(), ...message(16, text(1, taskName(0)))];
  const server = Uint8Array.from([
    ...message(1, message(1, [...text(1, "worker"), ...tasks])),
    ...text(2, "worker"),
    ...int(3, rank),
    ...message(4, config),
    ...text(5, "grpc"),
  ]);
  rt.C.TFE_EnableCollectiveOps(rt.context, server, BigInt(server.length), rt.status);
  check(rt, "TFE_EnableCollectiveOps");
  rt.devices = listDevices(rt);
  rt.gpu = firstGpu(rt.devices);
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
  const config = Uint8Array.from(configProto());
  C.TFE_ContextOptionsSetConfig(options, config, BigInt(config.length), status);
  check({ C, status }, "TFE_ContextOptionsSetConfig");
  const context = C.TFE_NewContext(options, status);
  check({ C, status }, "TFE_NewContext");
  C.TFE_DeleteContextOptions(options);
  const devices = listDevices({ C, status, context }), version = fromCString(C.TF_Version());
  const gpu = firstGpu(devices);
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
