/** The eager context and what every call into TensorFlow needs. */
import { type CApi, openLibraries } from "./c_api.ts";
import { findLibraries } from "./library.ts";
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
  readonly version: string;
}

/**
 * Throws if the last call on the runtime's status failed.
 * The first two lines are those of tfjs-node's addon, which callers may match.
 */
export function check(rt: Pick<Runtime, "C" | "status">, where: string | (() => string)): void {
  const code = rt.C.TF_GetCode(rt.status);
  if (code === 0) return;
  const message = fromCString(rt.C.TF_Message(rt.status));
  throw new Error(
    `Invalid TF_Status: ${code}\nMessage: ${message}\nin ${typeof where === "string" ? where : where()}`,
  );
}

/** ConfigProto { gpu_options (6): GPUOptions { allow_growth (4): true } }, in protobuf's wire format. */
const ALLOW_GROWTH = new Uint8Array([6 << 3 | 2, 2, 4 << 3 | 0, 1]);

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
 * @throws if TensorFlow is not installed.
 */
export function openRuntime(): Runtime {
  const C = openLibraries(findLibraries()), status = present(C.TF_NewStatus(), "a status");
  const options = present(C.TFE_NewContextOptions(), "the context's options");
  C.TFE_ContextOptionsSetConfig(options, ALLOW_GROWTH, BigInt(ALLOW_GROWTH.length), status);
  check({ C, status }, "TFE_ContextOptionsSetConfig");
  const context = C.TFE_NewContext(options, status);
  check({ C, status }, "TFE_NewContext");
  C.TFE_DeleteContextOptions(options);
  const devices = listDevices({ C, status, context });
  const gpu = devices.find((d) => d.type === "GPU")?.name ?? null;
  return { C, status, context, devices, gpu, version: fromCString(C.TF_Version()) };
}
