import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import * as bench from "@lib/cli/bench.ts";
import { UsageError } from "@lib/cli/command.ts";
import { onPaper, ringBytes, ringSeconds, workersText } from "./workers.ts";
import { learningRateScale, ratioAt, scheduleOf } from "@lib/annealing/mod.ts";
import { adaptationText } from "./adaptation.ts";
import { annealingText } from "./annealing.ts";
import { annealingArms } from "./annealing_arms.ts";
import { measureStep } from "./step_case.ts";
import { generateText } from "./generate.ts";
import { type GrowthReport, growthText, SIZES } from "./growth.ts";
import { measureGenerate } from "./generate_case.ts";
import { MODES, STAGES } from "./cases.ts";
import { describeMachine, machine } from "./machine.ts";
import { lossSpread, type StepReport, stepText } from "./step.ts";
import { loadConfig } from "@lib/config/mod.ts";
import { comparePaired } from "@lib/stats/mod.ts";

Deno.test("what bench does not understand is a usage error", async () => {
  await assertRejects(() => bench.run([]), UsageError, "no benchmark");
  await assertRejects(() => bench.run(["speed"]), UsageError, '"speed"');
  await assertRejects(() => bench.run(["step", "--rounds", "0"]), UsageError, "--rounds");
  await assertRejects(() => bench.run(["step", "--models", "nano,7b"]), UsageError, '"7b"');
  await assertRejects(() => bench.run(["step", "--trials", "2"]), UsageError, "--trials");
});

Deno.test("workers: what a ring sends and how long it takes, and the table of what was measured", async () => {
  // Two processes: each sends one half to be added and one half of the sum. Many: twice all of it.
  assertEquals([1, 2, 4].map((workers) => ringBytes(1000, workers)), [0, 4000, 6000]);
  const network = { bandwidth: 100, latency: 3 };
  assertEquals([1, 2, 5].map((gpus) => ringSeconds(1000, gpus, network)), [0, 2 * (3 + 5), 8 * (3 + 2)]);
  const paper = onPaper();
  assertEquals(paper.filter(({ gpus }) => gpus === 1).map(({ rate, share }) => [rate, share]), [[42.2, 1], [
    20.1,
    1,
  ]]);
  assert(paper.every(({ rate, gpus, stage }) => rate <= gpus * (stage === 1 ? 42.2 : 20.1)));
  const round = {
    firstSeconds: 2,
    flops: 7e9,
    peakMiB: 400.2,
    startMiB: 300,
    losses: [2, 1],
    numbers: 1e6,
    sentBytes: 4.1e6,
  };
  const text = workersText({
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    results: [
      { model: "nano", workers: 1, rounds: [{ ...round, seconds: [0.1, 0.3, 0.2], reduceMs: 0 }] },
      { model: "nano", workers: 2, rounds: [{ ...round, seconds: [0.4], reduceMs: 12.34 }] },
    ],
  });
  assertStringIncludes(
    text,
    "| nano | 1 | 4 | 200 | 20.0 | 0.00 | – | – | 400 |\n| nano | 2 | 8 | 400 | 20.0 | 4.00 | 4.10 | 12.3 | 400 |\n",
  );
  assertStringIncludes(text, "\n| 2 | 1,024 | 6,144 | 11.15 | 96.4 | 19,841 |\n");
});

Deno.test("growth: exponents of what was measured, with intervals, beside those of what can be counted", async () => {
  const memory = { peakMiB: 500, startMiB: 300 };
  const report: GrowthReport = {
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    compiler: "graph",
    results: SIZES.map((size) => {
      const { layers, width, tokens, batch } = size, work = layers * width ** 2 * tokens * batch;
      const round = { firstSeconds: 2, losses: [2, 1], numbers: 9, reduceMs: 0, sentBytes: 0, ...memory };
      const answer = {
        firstSeconds: 2,
        seconds: [32 * layers],
        toFirstToken: [layers],
        tokenBytes: batch,
        ...memory,
      };
      return {
        size,
        steps: [1, 1.1].map((factor) => ({ ...round, seconds: [factor * work], flops: 2 * work })),
        answers: [answer, answer],
      };
    }),
  };
  const text = growthText(report),
    row = (name: string) => text.split("\n").find((line) => line.startsWith(`| ${name}`));
  assertMatch(
    row("step of stage 2")!,
    /^\| step of stage 2 \| 1\.00 \[0\.9\d, 1\.0\d\] \| 2\.00 \[[^|]* \| 1\.00 \[/,
  );
  assertEquals(row("– FLOP of its"), "| – FLOP of its matrix products | 1.00 | 2.00 | 1.00 | 1.00 |");
  assertEquals(
    row("further token"),
    "| further token | 1.00 [1.00, 1.00] | 0.00 [0.00, 0.00] | 0.00 [0.00, 0.00] | 0.00 [0.00, 0.00] |",
  );
  assertEquals(row("– bytes"), "| – bytes that it must read | 0.00 | 0.00 | 0.00 | 1.00 |");
});

Deno.test("every mode of a step trains the same: nano, stage 1", async () => {
  const measured = [];
  for (const mode of ["eager", "graph"] as const) {
    measured.push(await measureStep({ model: "nano", stage: "stage 1", mode }, 3));
  }
  const [eager, graph] = measured;
  assert(eager.losses.at(-1)! < eager.losses[0], "the loss falls on a batch that is always the same");
  eager.losses.forEach((loss, i) => assertAlmostEquals(loss, graph.losses[i], 1e-5 * loss));
  assertEquals([eager.seconds.length, graph.seconds.length], [3, 3]);
  assert(graph.peakMiB > 100);
});

Deno.test("the table of steps: median over all rounds, its range, the rounds' medians, the largest peak", async () => {
  const report: StepReport = {
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    results: [{
      model: "nano",
      stage: "stage 1",
      mode: "graph",
      rounds: [
        {
          firstSeconds: 2,
          seconds: [0.1, 0.3, 0.2],
          flops: 7e9,
          peakMiB: 400.2,
          startMiB: 300,
          losses: [2, 1],
          numbers: 9,
          reduceMs: 0,
          sentBytes: 0,
        },
        {
          firstSeconds: 4,
          seconds: [0.5, 0.4, 0.6],
          flops: 7e9,
          peakMiB: 500.4,
          startMiB: 300,
          losses: [2, 1],
          numbers: 9,
          reduceMs: 0,
          sentBytes: 0,
        },
      ],
    }],
  };
  const text = stepText(report);
  assertStringIncludes(text, "| nano | stage 1 | graph | 350 | 100 - 600 | 200 - 500 | 20 | – | 3.0 | 500 |");
  assertStringIncludes(text, "0.1 before, 2.0 after");
  assertStringIncludes(text, describeMachine(report.machine));
  assertStringIncludes(describeMachine(report.machine), `deno ${Deno.version.deno}`);
  const other = { ...report.results[0], mode: "xla" as const };
  other.rounds = [{ ...other.rounds[0], losses: [2, 1.5] }];
  assertEquals(lossSpread([report.results[0], other]), 0.5);
  const { firstSeconds, peakMiB } = other.rounds[0],
    theirs = {
      ...{ ...other, mode: "transformers" as const },
      rounds: [{ firstSeconds, seconds: [0.7], peakMiB, losses: [9, 9], versions: { peft: "0.1" } }],
    };
  assertEquals(lossSpread([report.results[0], theirs]), 0, "its weights are others");
  const beside = stepText({ ...report, results: [report.results[0], theirs] });
  assertStringIncludes(beside, "| graph | 350 | 100 - 600 | 200 - 500 | 20 | 2.00 | 3.0 | 500 |");
  assertStringIncludes(beside, "| transformers | 700 | 700 - 700 | 700 - 700 | 10 | 1.00 | 2.0 | 400 |");
  assertStringIncludes(beside, ", peft 0.1. Load of the machine");
  assertEquals([STAGES.length, MODES.length], [4, 3]);
});

Deno.test("generation is measured in both ways, and its table gives prompts a second and the time of a token", async () => {
  const sizes = { items: 1, samples: 2, tokens: 3, timed: 1 }, measured = [];
  for (const way of ["graph, a call a token", "graph"] as const) {
    measured.push(await measureGenerate({ model: "nano", way }, sizes));
  }
  for (const { seconds, toFirstToken, tokenBytes, peakMiB } of measured) {
    assertEquals([seconds.length, toFirstToken.length], [1, 1]);
    assert(tokenBytes! > 1e6 && tokenBytes === measured[0].tokenBytes);
    assert(seconds[0] > 0 && toFirstToken[0] > 0 && peakMiB > 100);
  }
  const round = (seconds: number) => (
    { firstSeconds: 9, seconds: [seconds], toFirstToken: [0.9], peakMiB: 400 }
  );
  const text = generateText({
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0.1, after: 2 },
    results: [
      { model: "nano", way: "xla", rounds: [{ ...round(4), tokenBytes: 5e8 }, round(4)] },
      { model: "nano", way: "transformers", rounds: [round(7.1)] },
    ],
  });
  assertStringIncludes(text, "| nano | xla | 2.00 | 2.00 - 2.00 | 900 | 100 | 5.00 | 9.0 | 400 |");
  assertStringIncludes(text, "| nano | transformers | 1.13 | 1.13 - 1.13 | 900 | 200 | 2.50 | 9.0 | 400 |");
});

Deno.test("the table of trials: each trial, all of them, differences with the sign of later minus earlier", async () => {
  const compare = (after: number[], before: number[]) => comparePaired(after, before);
  const share = (right: number, total: number) => ({
    right,
    total,
    accuracy: right / total,
    low: 0,
    high: 1,
  });
  const trial = (n: number, right: number) => {
    const accuracy = { anatomy: share(right, 10), lesion: share(2, 10) };
    const unseen = { trained: share(8, 10), heldOut: share(right - 4, 10) };
    const combinations = { type: unseen, organ: { ...unseen, heldOut: share(8, 10) } };
    const better = compare([1, 1, 1, 0], [0, 0, 1, 0]), worse = compare([0, 0, 0, 0], [1, 0, 0, 0]);
    return {
      trial: n,
      accuracy: {
        base: accuracy,
        stage1: accuracy,
        stage2: accuracy,
        stage2WithoutStage1: accuracy,
        stage2WithReplay: accuracy,
      },
      combinations: {
        base: combinations,
        stage1: combinations,
        stage2: combinations,
        stage2WithoutStage1: combinations,
        stage2WithReplay: combinations,
      },
      stage1OnAnatomy: better,
      stage2OnLesions: better,
      withAgainstWithoutStage1: better,
      forgetting: worse,
      seconds: { stage1: 12, stage2: 75 },
    };
  };
  const text = adaptationText({
    machine: await machine(),
    startedAt: "2020-01-01T00:00:00Z",
    load: { before: 0, after: 0 },
    config: { ...loadConfig({}), limit: 3 },
    perType: 3,
    testPerGroup: 10,
    combinations: 10,
    trials: [trial(1, 5), trial(2, 8)],
  });
  assertStringIncludes(text, "| base model | 50.0 [23.7, 76.3] | 80.0 [49.0, 94.3] | 65.0 [0.0, 100.0] |");
  assertStringIncludes(
    text,
    "\n| stage 1 | 80.0 [80.0, 80.0] | 25.0 [0.0, 100.0] | -55.0 [-100.0, +100.0] | 80.0 [80.0, 80.0] | 80.0 [80.0, 80.0] | 0.0 [0.0, 0.0] |\n",
  );
  assertStringIncludes(text, "| stage 1 - base, anatomy | +50.0 [");
  assertStringIncludes(text, "(forgetting) | -25.0 [");
  assertStringIncludes(text, "Limited to 3 rows and steps: these are no results.");
  assertStringIncludes(text, "of one stage 2: 1 min 15 s, 1 min 15 s");
});

Deno.test("arms of the annealing bench that mix draw equally many pairs of MedPix, at other times", () => {
  const config = loadConfig({}), { steps } = config.stage2;
  const shares = annealingArms(config).flatMap(({ name, annealing }) => {
    if (!annealing) return [];
    const schedule = scheduleOf({ annealing });
    const at = Array.from({ length: steps }, (_, step) => ratioAt(schedule, step, steps));
    assertAlmostEquals(at.reduce((a, b) => a + b, 0) / steps, 0.3, 1e-9, name);
    return [[
      name,
      Math.round(100 * at[0]),
      Math.round(100 * at[steps - 1]),
      learningRateScale(schedule, steps - 1, steps) < 1,
    ]];
  });
  assertEquals(shares, [
    ["constant", 30, 30, false],
    ["linear", 10, 50, false],
    ["falling", 50, 10, false],
    ["end phase", 20, 70, true],
    ["constant, rate falls", 30, 30, true],
  ]);
});

Deno.test("the annealing bench counts each trial once, and says in how many an arm was ahead", () => {
  const arms = (ahead: boolean) =>
    annealingArms(loadConfig({})).map(({ name }) => ({
      name,
      share: 0.3,
      uses: 8,
      leastLoss: 0.1,
      lastLoss: name === "linear" ? 0.2 : 0.4,
      right: {
        roco_v2: Array.from({ length: 100 }, (_, i): 0 | 1 =>
          i < 50 + (name === "linear" && ahead ? 10 : 0) ? 1 : 0),
        medpix2: Array.from({ length: 20 }, (): 0 | 1 =>
          1),
      },
      seconds: 1,
    }));
  const text = annealingText(
    [true, false, true].map((ahead, i) => ({ seed: i + 1, arms: arms(ahead) })),
    "A machine",
  );
  // 10, 0 and 10 points: mean 6.7, and Student's t (4.303) times 5.77 / sqrt(3) on either side.
  assertStringIncludes(text, "| linear - constant | +6.7 [-7.7, +21.0] | 2 of 3 | 0.0 [0.0, 0.0] | 0 of 3 |");
  assertStringIncludes(
    text,
    "| linear | 30.0 | 8.0 | 56.7 [42.3, 71.0] | 100.0 [100.0, 100.0] | 0.200 | 0.100 |",
  );
});
