import { exists } from "@std/fs";
import { join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";

/** The machine and the software that numbers were measured with. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  /** GPUs as the driver names them. */
  gpus: string[];
  system: string;
  versions: Record<string, string>;
}

const Versions = z.looseObject({ version: z.string() });

/** Reads /proc and the installed packages; nothing is loaded. */
export async function machine(): Promise<Machine> {
  const cpu = await Deno.readTextFile("/proc/cpuinfo");
  const { version: tfjs } = Versions.parse(
    JSON.parse(await Deno.readTextFile(join(paths.root, "node_modules/@tensorflow/tfjs/package.json"))),
  );
  return {
    processor: /^model name\s*:\s*(.+)$/m.exec(cpu)?.[1] ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memoryGiB: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    gpus: await gpus(),
    system: `Linux ${Deno.osRelease()}`,
    versions: { deno: Deno.version.deno, "tensorflow.js": tfjs, tensorflow: await tensorflowVersion() },
  };
}

async function gpus(): Promise<string[]> {
  try {
    const { success, stdout } = await new Deno.Command("nvidia-smi", {
      args: ["--query-gpu=name", "--format=csv,noheader"],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).split("\n").filter(Boolean) : [];
  } catch {
    return [];
  }
}

/** From the name of the wheel's metadata folder, so that this process needs no TensorFlow. */
async function tensorflowVersion(): Promise<string> {
  const lib = join(paths.venv, "lib");
  if (!await exists(lib)) return "unknown";
  for await (const python of Deno.readDir(lib)) {
    if (!python.name.startsWith("python")) continue;
    for await (const { name } of Deno.readDir(join(lib, python.name, "site-packages"))) {
      const found = /^tensorflow(?:_cpu)?-(\d[\w.]*)\.dist-info$/.exec(name);
      if (found) return found[1];
    }
  }
  return "unknown";
}

/** One line for a table's foot. */
export function describeMachine({ processor, cores, memoryGiB, gpus, system, versions }: Machine): string {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ");
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, ${
    gpus.join(" and ") || "no GPU"
  }; ${system}; ${software}`;
}

/** How many processes wanted a core, over the last minute. More than this benchmark's own: its times are too long. */
export const load = (): number => Deno.loadavg()[0];
