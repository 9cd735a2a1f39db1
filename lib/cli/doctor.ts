import { statfs } from "node:fs/promises";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { z } from "zod";
import { paths } from "../config/mod.ts";
import { readArgs } from "./command.ts";
import type { DeviceProof } from "./support/device_proof.ts";
import { nvidiaGpus, outputOf } from "./support/programs.ts";
import { shownPath } from "./support/shown_path.ts";

export const usage = `usage: ./lab doctor

Says what this machine has and what is missing: Python, Deno, TensorFlow, devices, memory, disk, data, browser. The device
that computes is proved by a product of bfloat16 matrices and a function that XLA compiles.`;

/** What support/tensorflow_here.ts prints, line by line. */
const Found = z.object({
  version: z.string(),
  devices: z.array(z.object({ name: z.string(), type: z.string() })),
});
const Proved = z.object({ proof: z.custom<DeviceProof>((proof) => typeof proof === "object") });

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

type Line = [name: string, text: string];

/** What a device was seen to do, which cannot be seen from its name. */
function proofLines({ device, name, driver, memoryBytes, product, xla }: DeviceProof): Line[] {
  const { size, tflops } = product, right = (ok: boolean) => ok ? "right" : "WRONG";
  return [
    ["computes on", `${device}, ${name}, ${driver ? `driver ${driver}, ` : ""}${gib(memoryBytes)} of memory`],
    [
      "bfloat16",
      `${tflops.toFixed(tflops < 10 ? 2 : 0)} TFLOP/s (a product of ${size} x ${size}, ${
        right(product.right)
      })`,
    ],
    ["XLA", `compiled a function in ${xla.seconds.toFixed(1)} s (its value is ${right(xla.right)})`],
  ];
}

/** What TensorFlow says of itself and its devices, through its C library, in a process that may end by it. */
async function tensorflow(): Promise<{ lines: Line[]; problem: string | null }> {
  const config = join(paths.root, "deno.json"),
    script = join(import.meta.dirname!, "support/tensorflow_here.ts");
  const { success, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", config, script],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const [found, proved] = decode(stdout).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const [why] = signal
    ? [`its process ended by ${signal}`]
    : decode(stderr).match(/(?<=rror: )(?!.*rror: ).*/) ?? ["no reason"];
  if (!found) {
    return {
      lines: [["TensorFlow", `does not load: ${why}`], ["devices", "none"]],
      problem: `does not load: ${why}`,
    };
  }
  const { version, devices } = Found.parse(found);
  const names = devices.map(({ name, type }) => `${type} (${name.split("/").at(-1)})`).join(", ");
  const lines: Line[] = [["TensorFlow", version], ["devices", names]];
  if (!success) {
    return { lines: [...lines, ["computes on", `nothing: ${why}`]], problem: `does not compute: ${why}` };
  }
  const { proof } = Proved.parse(proved), right = proof.product.right && proof.xla.right;
  return { lines: [...lines, ...proofLines(proof)], problem: right ? null : "computes wrongly" };
}

/** Names of the entries of a folder; none where it does not exist. */
async function entries(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

async function diskFree(folder: string): Promise<string> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return `${gib(bavail * bsize)} free of ${gib(blocks * bsize)}`;
}

async function browser(): Promise<string> {
  for (const name of [Deno.env.get("CHROME"), "chromium", "google-chrome"]) {
    const version = name && await outputOf(name, "--version");
    if (version) return version;
  }
  return "none found (only the browser tests need one: set CHROME or install Chromium)";
}

const isSet = (name: string): string => Deno.env.get(name) ? "set" : "not set";

export async function run(args: string[]): Promise<void> {
  readArgs(args, {});
  const engine = await tensorflow();
  const memory = Deno.systemMemoryInfo();
  const jsr = Deno.env.get("JSR_URL");
  const standIn = jsr?.includes("/tests/jsr_stand_in/");
  const data = Deno.env.get("LAB_DATA");
  const kernel = join(paths.venv, "share/jupyter/kernels/deno/kernel.json");
  const local = (await entries(paths.local)).join(", ");
  const lines: Line[] = [
    ["machine", `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} processors`],
    ["memory", `${gib(memory.available)} free of ${gib(memory.total)}`],
    ["disk", await diskFree(paths.root)],
    ["Python", await outputOf(join(paths.venv, "bin/python"), "--version") ?? "missing: run ./lab setup"],
    ["Deno", `${Deno.version.deno}, TypeScript ${Deno.version.typescript}`],
    ...engine.lines,
    ["NVIDIA GPUs", (await nvidiaGpus()).join("; ") || "none"],
    [
      "JupyterLab",
      await outputOf(join(paths.venv, "bin/jupyter"), "lab", "--version") ?? "missing: run ./lab setup",
    ],
    ["Deno kernel", await exists(kernel) ? "installed" : "missing: run ./lab setup"],
    ["@std packages", standIn ? "stand-in in tests/jsr_stand_in (JSR did not answer)" : jsr ?? "from JSR"],
    ["data/local", local || "empty (notebook 01 makes the tiny corpora)"],
    [
      "LAB_DATA",
      data ? (await entries(data)).join(", ") || `${data} is empty` : "not set (tests on real files skip)",
    ],
    ["nano model", (await entries(join(paths.data, "nano"))).length ? "there" : "missing: data/nano"],
    ["results", shownPath(paths.results)],
    ["browser", await browser()],
    ["HF_TOKEN", `${isSet("HF_TOKEN")} (needed for the gated full-scale model)`],
    [
      "teacher, judge",
      `TEACHER_URL ${isSet("TEACHER_URL")}, JUDGE_URL ${isSet("JUDGE_URL")} (else the embedded model)`,
    ],
  ];
  for (const [name, text] of lines) console.log(`${name.padEnd(16)}${text}`);
  if (engine.problem) throw new Error(`TensorFlow ${engine.problem.replace(/[.]$/, "")}.`);
}
