import { assert, assertRejects, assertStringIncludes } from "@std/assert";
import * as bench from "@lib/cli/bench.ts";
import { UsageError } from "@lib/cli/command.ts";
import { type DataReport, dataText } from "./data.ts";
import { WAYS } from "./data_cases.ts";
import { machine } from "./machine.ts";

const versions = { transformers: "5", pillow: "13" };

/** 10 files twice: `seconds` of each way, in two rounds that differ by a factor of 4 around their median. */
async function report(seconds: readonly number[]): Promise<DataReport> {
  const rounds = (s: number) =>
    [0.4 * s, 1.6 * s].map((t) => ({ seconds: t, coreSeconds: 2 * t, peakMiB: 100 * t, versions }));
  return {
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    files: { what: "phantoms", count: 10 },
    workers: 2,
    passes: 2,
    results: WAYS.map((way, i) => ({ way, size: 224, rounds: rounds(seconds[i]) })),
    different: { 224: [] },
    table: {
      rows: 200_000,
      bytes: 2 ** 27,
      writeSeconds: 5,
      writeMiB: 300,
      openSeconds: 0.05,
      openMiB: 16.4,
      firstRowSeconds: 0.002,
      medianRowSeconds: 0.00003,
      slowestRowSeconds: 0.02,
    },
  };
}

Deno.test("the table of images: median images/s, range, core ms, ratios to one thread and to the faster parallel way, peak", async () => {
  const text = dataText(await report([1, 0.5, 2, 1.25, 1]));
  assertStringIncludes(text, "| 224 | pool, 1 worker | 1 | 20.0 | 12.5 - 50.0 | 100.0 | 2.00 | 1.00 | 160 |");
  assertStringIncludes(text, "| 224 | pool | 2 | 40.0 | 25.0 - 100.0 | 50.0 | 4.00 | 2.00 | 80 |");
  assertStringIncludes(
    text,
    "| 224 | transformers, threads | 2 | 16.0 | 10.0 - 40.0 | 125.0 | 1.60 | 0.80 | 200 |",
  );
  assertStringIncludes(text, "| 128 MiB | 5.0 s | 300 MiB | 50 ms | 16 MiB | 0.03 ms | 2.00 ms | 20 ms |");
  assertStringIncludes(text, "none, in every measurement");
  assertStringIncludes(text, "transformers 5, pillow 13");
});

Deno.test("values that differ from transformers' are in the report by file", async () => {
  const text = dataText({ ...await report([1, 1, 1, 1, 1]), different: { 224: ["a.png"], 448: [] } });
  assertStringIncludes(text, 'other bytes than transformers\': 1: {"224":["a.png"],"448":[]}');
  assert(!text.includes("none, in every measurement"));
});

Deno.test("bench data takes rounds and passes, whole and positive", async () => {
  await assertRejects(() => bench.run(["data", "--rounds", "0"]), UsageError, "--rounds");
  await assertRejects(() => bench.run(["data", "--passes", "1.5"]), UsageError, "--passes");
  await assertRejects(() => bench.run(["data", "--models", "nano"]), UsageError, "--models");
});
