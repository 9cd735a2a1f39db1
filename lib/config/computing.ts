/** The most memory that a process held. */
export interface PeakMemory {
  /** A GPU's as its driver counts it, with what TensorFlow keeps for later; else the process's resident memory. */
  readonly peakBytes: number;
  /** What there is to have. */
  readonly limitBytes: number;
}

/** Peak of this process's resident memory; null where it may not be asked. */
function processMemory(): PeakMemory | null {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))!;
    return { peakBytes: Number(kib) * 1024, limitBytes: Deno.systemMemoryInfo().total };
  } catch {
    return null;
  }
}

/**
 * What this process computes with, for manifests. The engine (lib/tensor) fills it in when it is loaded, which takes
 * seconds, so that a stage without a model need not load it.
 */
export const computing: {
  device: string;
  versions: Record<string, string>;
  memory: () => PeakMemory | null;
} = {
  device: "CPU",
  versions: { deno: Deno.version.deno },
  memory: processMemory,
};
