/** Figures of memory and devices. */
import { backend, binding, tf } from "./backend.ts";
import type { Driver } from "./cuda.ts";
import type { Device } from "./runtime.ts";

// TensorFlow.js counts 4 bytes for each element of what it calls float32; two of the three types have 2.
const engine = tf.engine(), count = engine.memory.bind(engine);
engine.memory = () => {
  const info = count();
  return { ...info, numBytes: info.numBytes - 2 * backend().reducedElements };
};

/** Tensors that are alive and bytes in use. */
export interface Memory {
  /** Living tensors of TensorFlow.js. */
  readonly tensors: number;
  /** What their elements take. */
  readonly bytes: number;
  /** Resident memory of the whole process. */
  readonly rssBytes: number;
}

/** What is in use now. */
export function memory(): Memory {
  const { numTensors, numBytes } = tf.memory();
  return { tensors: numTensors, bytes: numBytes, rssBytes: Deno.memoryUsage().rss };
}

/** The devices that TensorFlow found, CPU first. */
export const devices = (): readonly Device[] => binding.runtime.devices;

/** NVIDIA's driver, where tensors are put on its GPU. */
export const gpuDriver = (): Driver | null => binding.runtime.driver;

/** Version of TensorFlow that computes. */
export const tensorflowVersion: string = binding.TF_Version;
