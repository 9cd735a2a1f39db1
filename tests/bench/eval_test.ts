/** The report of `./lab bench eval`. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { evalText } from "./eval.ts";
import { type AnswersMeasurement, PARTS } from "./eval_case.ts";
import { machine } from "./machine.ts";

const round = (seconds: number[], more: Partial<AnswersMeasurement> = {}): AnswersMeasurement => ({
  ...{ prompts: 4, runs: 5, firstSeconds: 9, seconds, greedy: ["left", "lung", "ct", "no"], peakMiB: 500 },
  ...more,
});

Deno.test("speed is the median of all passes, peak the largest of all rounds, and greedy answers are compared one by one", async () => {
  const times = (factor: number) =>
    Object.fromEntries(PARTS.map((part, i) => [part, factor * i])) as Record<typeof PARTS[number], number>;
  const whole = { systems: 13, answers: 40_000, scores: 200_000, peakMiB: 700 };
  const report = {
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    ours: [round([1, 2, 4]), round([0.5, 2, 8], { peakMiB: 612.4 })],
    transformers: [
      round([40, 20, 80], { greedy: ["left", "lungs", "ct", "no"], versions: { transformers: "5.0.0" } }),
    ],
    whole: [1, 3, 2].map((factor) => ({ ...whole, seconds: times(factor) })),
  };
  const text = evalText(report);
  assertStringIncludes(text, "| ours | 2.00 | 0.500 - 8.00 | 1.00 | 9.0 | 612 |\n");
  assertStringIncludes(text, "| transformers | 0.100 | 0.0500 - 0.200 | 0.0500 | 9.0 | 500 |\n");
  assertStringIncludes(text, "3 of 4 equal, letter for letter");
  assertStringIncludes(text, `| ${PARTS[0]} | 0.0 | 0 |\n| ${PARTS[1]} | 2.0 | 7 |\n`);
  assertStringIncludes(text, "| all | 30.0 | 100 |\n");
  assertStringIncludes(text, "13 systems, 40,000 answers, 200,000\nscores".replace("\n", " "));
  assertStringIncludes(text, "transformers 5.0.0");
  const alone = evalText({ ...report, transformers: [] });
  assertStringIncludes(alone, "Not compared with transformers (--python).");
  assertEquals(alone.includes("| transformers |"), false);
  assert(!alone.includes("NaN") && !text.includes("NaN"));
});
