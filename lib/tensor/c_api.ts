/** TensorFlow's C API by Deno FFI: declarations only. */
import { isWorker } from "../config/mod.ts";
import { cString } from "./pointers.ts";

const P = "pointer", B = "buffer";
/** TF_Output { TF_Operation* oper; int index; }, by value: 16 bytes with padding. */
const OUTPUT = { struct: ["pointer", "i32"] } as const;

const FRAMEWORK = {
  TF_NewStatus: { parameters: [], result: P },
  TF_DeleteStatus: { parameters: [P], result: "void" },
  TF_SetStatus: { parameters: [P, "i32", B], result: "void" },
  TF_GetCode: { parameters: [P], result: "i32" },
  TF_Message: { parameters: [P], result: P },
  TF_AllocateTensor: { parameters: ["i32", B, "i32", "usize"], result: P },
  TF_DeleteTensor: { parameters: [P], result: "void" },
  TF_TensorData: { parameters: [P], result: P },
  TF_TensorByteSize: { parameters: [P], result: "usize" },
  TF_TensorElementCount: { parameters: [P], result: "i64" },
  TF_TensorType: { parameters: [P], result: "i32" },
  TF_DataTypeSize: { parameters: ["i32"], result: "usize" },
  // Not of the C API: tsl::enable_tensor_float_32_execution(bool) and tsl::tensor_float_32_execution_enabled()
  enableTF32: { name: "_ZN3tsl32enable_tensor_float_32_executionEb", parameters: ["bool"], result: "void" },
  isTF32Enabled: { name: "_ZN3tsl33tensor_float_32_execution_enabledEv", parameters: [], result: "bool" },
} as const;

const CC = {
  TF_Version: { parameters: [], result: P },
  // Strings: TF_TString of 24 bytes
  TF_StringCopy: { parameters: [P, B, "usize"], result: "void" },
  TF_StringGetDataPointer: { parameters: [P], result: P },
  TF_StringGetSize: { parameters: [P], result: "usize" },
  TF_StringDealloc: { parameters: [P], result: "void" },
  // Context and devices
  TFE_NewContextOptions: { parameters: [], result: P },
  TFE_ContextOptionsSetConfig: { parameters: [P, B, "usize", P], result: "void" },
  TFE_DeleteContextOptions: { parameters: [P], result: "void" },
  TFE_NewContext: { parameters: [P, P], result: P },
  TFE_ContextListDevices: { parameters: [P, P], result: P },
  TFE_ContextAddFunction: { parameters: [P, P, P], result: "void" },
  TFE_ContextRemoveFunction: { parameters: [P, B, P], result: "void" },
  TF_DeviceListCount: { parameters: [P], result: "i32" },
  TF_DeviceListName: { parameters: [P, "i32", P], result: P },
  TF_DeviceListType: { parameters: [P, "i32", P], result: P },
  TF_DeviceListMemoryBytes: { parameters: [P, "i32", P], result: "i64" },
  TF_DeleteDeviceList: { parameters: [P], result: "void" },
  // Handles
  TFE_NewTensorHandle: { parameters: [P, P], result: P },
  TFE_DeleteTensorHandle: { parameters: [P], result: "void" },
  TFE_TensorHandleCopyToDevice: { parameters: [P, P, B, P], result: P },
  TFE_TensorHandleDataType: { parameters: [P], result: "i32" },
  TFE_TensorHandleNumDims: { parameters: [P, P], result: "i32" },
  TFE_TensorHandleDim: { parameters: [P, "i32", P], result: "i64" },
  TFE_TensorHandleResolve: { parameters: [P, P], result: P },
  // Eager ops
  TFE_NewOp: { parameters: [P, B, P], result: P },
  TFE_DeleteOp: { parameters: [P], result: "void" },
  TFE_OpAddInput: { parameters: [P, P, P], result: "void" },
  TFE_OpSetAttrString: { parameters: [P, B, B, "usize"], result: "void" },
  TFE_OpSetAttrStringList: { parameters: [P, B, B, B, "i32"], result: "void" },
  TFE_OpSetAttrInt: { parameters: [P, B, "i64"], result: "void" },
  TFE_OpSetAttrIntList: { parameters: [P, B, B, "i32"], result: "void" },
  TFE_OpSetAttrFloat: { parameters: [P, B, "f32"], result: "void" },
  TFE_OpSetAttrFloatList: { parameters: [P, B, B, "i32"], result: "void" },
  TFE_OpSetAttrBool: { parameters: [P, B, "u8"], result: "void" },
  TFE_OpSetAttrBoolList: { parameters: [P, B, B, "i32"], result: "void" },
  TFE_OpSetAttrType: { parameters: [P, B, "i32"], result: "void" },
  TFE_OpSetAttrTypeList: { parameters: [P, B, B, "i32"], result: "void" },
  TFE_OpSetAttrShape: { parameters: [P, B, B, "i32", P], result: "void" },
  TFE_OpSetAttrShapeList: { parameters: [P, B, B, B, "i32", P], result: "void" },
  TFE_OpSetAttrFunctionName: { parameters: [P, B, B, "usize"], result: "void" },
  TFE_Execute: { parameters: [P, B, B, P], result: "void" },
  // On a thread of Deno's own: for an op that waits for other processes
  executeLater: { name: "TFE_Execute", parameters: [P, B, B, P], result: "void", nonblocking: true },
  // Several processes
  TFE_EnableCollectiveOps: { parameters: [P, B, "usize", P], result: "void" },
  TFE_AbortCollectiveOps: { parameters: [P, P], result: "void" },
  TFE_CollectiveOpsCheckPeerHealth: { parameters: [P, B, "i64", P], result: "void", nonblocking: true },
  // Graphs and functions
  TF_NewGraph: { parameters: [], result: P },
  TF_DeleteGraph: { parameters: [P], result: "void" },
  TF_NewBuffer: { parameters: [], result: P },
  TF_DeleteBuffer: { parameters: [P], result: "void" },
  TF_GraphGetOpDef: { parameters: [P, B, P, P], result: "void" },
  TF_NewOperation: { parameters: [P, B, B], result: P },
  TF_FinishOperation: { parameters: [P, P], result: P },
  TF_AddInput: { parameters: [P, OUTPUT], result: "void" },
  TF_AddInputList: { parameters: [P, B, "i32"], result: "void" },
  TF_AddControlInput: { parameters: [P, P], result: "void" },
  TF_SetAttrString: { parameters: [P, B, B, "usize"], result: "void" },
  TF_SetAttrStringList: { parameters: [P, B, B, B, "i32"], result: "void" },
  TF_SetAttrInt: { parameters: [P, B, "i64"], result: "void" },
  TF_SetAttrIntList: { parameters: [P, B, B, "i32"], result: "void" },
  TF_SetAttrFloat: { parameters: [P, B, "f32"], result: "void" },
  TF_SetAttrFloatList: { parameters: [P, B, B, "i32"], result: "void" },
  TF_SetAttrBool: { parameters: [P, B, "u8"], result: "void" },
  TF_SetAttrBoolList: { parameters: [P, B, B, "i32"], result: "void" },
  TF_SetAttrType: { parameters: [P, B, "i32"], result: "void" },
  TF_SetAttrTypeList: { parameters: [P, B, B, "i32"], result: "void" },
  TF_SetAttrShape: { parameters: [P, B, B, "i32"], result: "void" },
  TF_SetAttrShapeList: { parameters: [P, B, B, B, "i32"], result: "void" },
  TF_SetAttrFuncName: { parameters: [P, B, B, "usize"], result: "void" },
  TF_SetAttrTensor: { parameters: [P, B, P, P], result: "void" },
  TF_OperationNumOutputs: { parameters: [P], result: "i32" },
  TF_OperationOutputType: { parameters: [OUTPUT], result: "i32" },
  TF_GraphGetTensorNumDims: { parameters: [P, OUTPUT, P], result: "i32" },
  TF_GraphGetTensorShape: { parameters: [P, OUTPUT, B, "i32", P], result: "void" },
  TF_GraphOperationByName: { parameters: [P, B], result: P },
  TF_GraphToFunction: {
    parameters: [P, B, "u8", "i32", P, "i32", B, "i32", B, P, P, P, P],
    result: P,
  },
  TF_DeleteFunction: { parameters: [P], result: "void" },
  // SavedModel
  TF_NewSessionOptions: { parameters: [], result: P },
  TF_DeleteSessionOptions: { parameters: [P], result: "void" },
  TF_LoadSessionFromSavedModel: { parameters: [P, P, B, B, "i32", P, P, P], result: P },
  TF_DeleteSession: { parameters: [P, P], result: "void" },
  TF_SessionRun: { parameters: [P, P, B, B, "i32", B, B, "i32", P, "i32", P, P], result: "void" },
} as const;

const LIBC = {
  dlopen: { parameters: [B, "i32"], result: P },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: [B, "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

type Libc = Deno.DynamicLibrary<typeof LIBC>["symbols"];
const RTLD_NOW_NODELETE = 0x1002, O_WRONLY = 1, STDERR = 2;

/** Runs f with the process's stderr closed off: loading TensorFlow prints notices that no setting stops. */
function quietly<T>(libc: Libc, f: () => T): T {
  const saved = libc.dup(STDERR), nothing = libc.open(cString("/dev/null"), O_WRONLY);
  if (saved < 0 || nothing < 0) { // out of file descriptors, say: notices are better than no stderr
    for (const fd of [saved, nothing]) if (fd >= 0) libc.close(fd);
    return f();
  }
  libc.dup2(nothing, STDERR);
  try {
    return f();
  } finally {
    libc.dup2(saved, STDERR);
    libc.close(saved);
    libc.close(nothing);
  }
}

export type CApi = ReturnType<typeof openLibraries>;

/** Loads both libraries; the first must be there for the second to resolve. */
export function openLibraries(paths: { framework: string; cc: string }) {
  // Errors only, unless something else is asked for: TensorFlow reports its instruction sets and compilations. A worker
  // whose group loses another one says so itself, in a sentence.
  const level = Deno.env.get("TF_CPP_MIN_LOG_LEVEL") || "2";
  Deno.env.set("TF_CPP_MIN_LOG_LEVEL", level === "2" && isWorker() ? "3" : level);
  // TensorFlow itself turns oneDNN on only where the processor has AVX512-VNNI; elsewhere convolutions would then lack
  // layouts and dilations that they have here.
  if (!Deno.env.get("TF_ENABLE_ONEDNN_OPTS")) Deno.env.set("TF_ENABLE_ONEDNN_OPTS", "1");
  const libc = Deno.dlopen("libc.so.6", LIBC), verbose = Deno.env.get("TF_CPP_MIN_LOG_LEVEL") === "0";
  try {
    const load = () => ({
      ...Deno.dlopen(paths.framework, FRAMEWORK).symbols,
      ...Deno.dlopen(paths.cc, CC).symbols,
    });
    const symbols = verbose ? load() : quietly(libc.symbols, load);
    // Deno unloads libraries when a program ends by an uncaught error, while TensorFlow's threads still run in
    // them: a segmentation fault instead of exit code 1. Opened again so, they stay.
    for (const path of [paths.framework, paths.cc]) libc.symbols.dlopen(cString(path), RTLD_NOW_NODELETE);
    return symbols;
  } finally {
    libc.close();
  }
}
