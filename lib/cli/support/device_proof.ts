import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { asType, devices, gpuDriver, jit, tf } from "../../tensor/mod.ts";

/** What the device that tensors are put on is, and what it was seen to do. */
export interface DeviceProof {
  /** `GPU:0` or `CPU:0` */
  readonly device: string;
  readonly name: string;
  /** NVIDIA's, as "580.82.07 (CUDA 13.0)"; null on a CPU. */
  readonly driver: string | null;
  /** A GPU's: what TensorFlow may take. A CPU's: the machine's. */
  readonly memoryBytes: number;
  /** A product of two bfloat16 matrices of `size` x `size`, and whether it was right. */
  readonly product: { readonly size: number; readonly tflops: number; readonly right: boolean };
  /** A function compiled by XLA: seconds of its first call, and whether it gave what it gives uncompiled. */
  readonly xla: { readonly seconds: number; readonly right: boolean };
}

async function cpuName(): Promise<string> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return /^model name\s*:\s*(.+)$/m.exec(info)?.[1] ?? "unknown processor";
}

/** Ones times ones, so that every element of the product is the size. */
function product(size: number, times: number): DeviceProof["product"] {
  return tf.tidy(() => {
    const ones = asType(tf.ones([size, size]) as Tensor2D, "bfloat16");
    const run = (n: number) => {
      let last: Tensor = ones;
      for (let i = 0; i < n; i++) last = tf.matMul(ones, ones);
      return tf.slice(asType(last, "float32"), [size - 1, size - 1], [1, 1]).dataSync()[0]; // waits for all of them
    };
    const first = run(1), start = performance.now(), value = run(times);
    const seconds = (performance.now() - start) / 1000 / times;
    return { size, tflops: 2 * size ** 3 / seconds / 1e12, right: first === size && value === size };
  });
}

function compiled(): DeviceProof["xla"] {
  const f = (x: Tensor2D) => tf.sum(tf.tanh(tf.matMul(x, x))), fast = jit(f, { compiler: "xla" });
  try {
    return tf.tidy(() => {
      const x = tf.reshape(tf.range(0, 1, 1 / 256), [16, 16]) as Tensor2D, start = performance.now();
      const value = fast(x).dataSync()[0], seconds = (performance.now() - start) / 1000;
      return { seconds, right: Math.abs(value - f(x).dataSync()[0]) < 1e-3 * Math.abs(value) };
    });
  } finally {
    fast.dispose();
  }
}

/** Takes a second on a GPU or a CPU with bfloat16 arithmetic, some more on others. */
export async function proveDevice(): Promise<DeviceProof> {
  const gpu = devices().find(({ type }) => type === "GPU"), driver = gpuDriver();
  const size = gpu ? 8192 : 1024;
  return {
    device: gpu ? `GPU:${gpu.name.split(":").at(-1)}` : "CPU:0",
    name: driver ? driver.gpus[0].name : await cpuName(),
    driver: driver && `${driver.version} (CUDA ${driver.cuda})`,
    memoryBytes: gpu?.memoryBytes ?? Deno.systemMemoryInfo().total,
    product: product(size, gpu ? 20 : 2),
    xla: compiled(),
  };
}
