import { runDenoQuietly, testFilesIn } from "../../support/run_deno.ts";
import { testFiles } from "../../support/tally.ts";
import type { Campaign } from "../faults.ts";

/** Settings under which TensorFlow computes as on another processor. */
export const PROCESSORS: readonly Readonly<Record<string, string>>[] = [
  { TF_ENABLE_ONEDNN_OPTS: "0", XLA_FLAGS: "--xla_cpu_max_isa=AVX2" },
  { ONEDNN_MAX_CPU_ISA: "AVX2" },
];

/** Tests of these rooms compute what depends on the processor. */
const ROOMS = ["model", "training"];

/** The tests of models and training as on other processors. */
export const processors: Campaign = {
  name: "processors",
  describe:
    "all tests of model and training as on processors without AVX-512, with and without oneDNN; failed: a test fails or its process dies",
  count: PROCESSORS.length,
  async run(count, signal) {
    const files = (await Promise.all(ROOMS.map(testFilesIn))).flat(), details: string[] = [];
    let tried = 0, failed = 0;
    for (; tried < count && !signal.aborted; tried++) {
      const env = PROCESSORS[tried % PROCESSORS.length];
      const run = (left: readonly string[]) => runDenoQuietly(["test", "-A", "--no-check", ...left], [], env);
      const tally = await testFiles(files, run);
      const settings = Object.entries(env).map((pair) => pair.join("=")).join(" ");
      details.push(
        `${settings}: ${tally.passed} tests passed, ${tally.failed} failed, ${tally.skipped} skipped`,
      );
      details.push(...tally.died ?? []);
      if (tally.failed > 0) failed++;
    }
    return { tried, failed, details };
  },
};
