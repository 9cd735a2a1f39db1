import { join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";
import { measureInProcess } from "./case_process.ts";

/** How the files are worked on; the first two are ours. */
export const WAYS = [
  "pool, 1 worker",
  "pool",
  "transformers",
  "transformers, threads",
  "transformers, processes",
] as const;
export type Way = typeof WAYS[number];

/** One measurement: what a process gets on its standard input. */
export interface ImageCase {
  files: readonly string[];
  size: number;
  workers: number;
  /** Over all files, timed. */
  passes: number;
}

const ImageMeasurement = z.strictObject({
  /** SHA-256 of each file's float32 pixel values [3, size, size]. */
  hashes: z.array(z.string()),
  /** Of the timed passes; starting, importing and the first pass are not in it. */
  seconds: z.number(),
  /** Time of processor cores in them, of all threads. */
  coreSeconds: z.number(),
  /** Peak of the resident memory, of all processes together. */
  peakMiB: z.number(),
  versions: z.record(z.string(), z.string()),
});
export type ImageMeasurement = z.infer<typeof ImageMeasurement>;

const BY: Partial<Record<Way, string>> = {
  "transformers": "one thread",
  "transformers, threads": "threads",
  "transformers, processes": "processes",
};

/** Measures a case once. */
export async function measureImages(
  way: Way,
  imageCase: ImageCase,
  python: string,
): Promise<ImageMeasurement> {
  const by = BY[way], input = { ...imageCase, by }, what = `${way} at ${imageCase.size}`;
  const found = by === undefined
    ? await measureInProcess("./data_case.ts", [], { what, input })
    : await measureInProcess("./data.py", [], { what, input, python });
  return ImageMeasurement.parse(found);
}

async function run(command: string, args: string[], what: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd: paths.root }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr.length ? stderr : stdout).trim().slice(-600);
  throw new Error(`Expected to install what bench data compares with; ${what} failed: ${said}`);
}

/** The Python in build/bench with tests/bench/requirements.txt installed; made by the first run. */
export async function benchPython(): Promise<string> {
  const folder = join(paths.root, "build/bench/python"), python = join(folder, "bin/python");
  const stamp = join(folder, "requirements.txt"),
    requirements = join(paths.root, "tests/bench/requirements.txt");
  const wanted = await Deno.readTextFile(requirements);
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return python;
  console.error("Installing transformers and Pillow into build/bench, once ...");
  await run(join(paths.venv, "bin/python"), ["-m", "venv", "--clear", folder], "python -m venv");
  const pip = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "-r"];
  await run(python, [...pip, requirements], "pip install");
  await Deno.writeTextFile(stamp, wanted);
  return python;
}
