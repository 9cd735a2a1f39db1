/** Our side of `./lab bench data`: image files to pixel values by the pool, in a process of its own. */
import process from "node:process";
import { sha256 } from "@lib/config/mod.ts";
import { imagePool, writePixelValues } from "@lib/image/mod.ts";
import type { ImageCase, ImageMeasurement } from "./data_cases.ts";

/** Images of a training batch: where the main thread writes pixel values to. */
const BATCH = 16;

async function measure({ files, size, workers, passes }: ImageCase): Promise<ImageMeasurement> {
  await using pool = imagePool(workers);
  const each = 3 * size * size, batch = new Float32Array(BATCH * each), hashes: string[] = [];
  const preprocess = (path: string) => pool.preprocess(path, size);
  for await (const { rgb } of pool.map(files, preprocess)) {
    writePixelValues(rgb, batch);
    hashes.push(sha256(new Uint8Array(batch.buffer, 0, 4 * each)));
  }
  const start = performance.now(), before = process.cpuUsage();
  for (let pass = 0, i = 0; pass < passes; pass++) {
    for await (const { rgb } of pool.map(files, preprocess)) {
      writePixelValues(rgb, batch, (i++ % BATCH) * each);
    }
  }
  const seconds = (performance.now() - start) / 1000, { user, system } = process.cpuUsage(before);
  const status = await Deno.readTextFile("/proc/self/status");
  const peakMiB = Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024;
  return { hashes, seconds, coreSeconds: (user + system) / 1e6, peakMiB, versions: {} };
}

if (import.meta.main) {
  const input = await new Response(Deno.stdin.readable).json();
  console.log(JSON.stringify(await measure(input)));
}
