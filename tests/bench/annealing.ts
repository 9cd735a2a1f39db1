import { exists } from "@std/fs";
import { join } from "@std/path";
import { paths, tiedCommand } from "@lib/config/mod.ts";
import { comparePaired, mean, percent } from "@lib/stats/mod.ts";
import { acrossTrials } from "@lib/stats/trials.ts";
import { differences, signed, trialMean } from "./adaptation.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, machine } from "./machine.ts";
import { AnnealingTrial, ARM_TESTS, type ArmResult, type ArmTest, LATE, PHASE } from "./annealing_arms.ts";

/** What is compared: the first arm minus the second, on the same questions. */
const COMPARED = [
  ["constant", "ROCO alone"],
  ["linear", "ROCO alone"],
  ["linear", "MedPix alone"],
  ["linear", "constant"],
  ["linear", "falling"],
  ["end phase", "constant"],
  ["end phase", "constant, rate falls"],
  ["constant, rate falls", "constant"],
] as const;

const NAMES: Record<ArmTest, string> = { roco_v2: "ROCO", medpix2: "MedPix" };

/** An arm's share of right answers over the trials, in percent. */
function accuracy(arms: readonly ArmResult[], set: ArmTest): string {
  const all = acrossTrials(arms.map(({ right }) => {
    const n = right[set].length, hits = right[set].filter(Boolean).length;
    const p = (hits + 1) / (n + 2); // no trial seems to be without error
    return { estimate: hits / n, variance: p * (1 - p) / n };
  }));
  return trialMean(all, percent, 0);
}

/** The trials as Markdown. */
export function annealingText(trials: readonly AnnealingTrial[], where: string): string {
  const armOf = (trial: AnnealingTrial, name: string) => trial.arms.find((arm) => arm.name === name)!;
  const rows = trials[0].arms.map(({ name }) => {
    const arms = trials.map((trial) => armOf(trial, name)),
      of = (key: "share" | "uses" | "lastLoss") => mean(arms.map((arm) => arm[key]));
    return `| ${name} | ${percent(of("share"))} | ${of("uses").toFixed(1)} | ${
      ARM_TESTS.map((set) => accuracy(arms, set)).join(" | ")
    } | ${of("lastLoss").toFixed(3)} | ${mean(arms.map((arm) => arm.leastLoss)).toFixed(3)} |`;
  });
  const compared = COMPARED.map(([first, second]) => {
    const cells = ARM_TESTS.map((set) => {
      const counts = trials.map((trial) =>
        comparePaired(armOf(trial, first).right[set], armOf(trial, second).right[set]).counts
      );
      const more = counts.filter(({ onlyFirst, onlySecond }) => onlyFirst > onlySecond).length;
      return `${trialMean(differences(counts), signed, -1)} | ${more} of ${trials.length}`;
    });
    return `| ${first} - ${second} | ${cells.join(" | ")} |`;
  });
  const items = ARM_TESTS.map((set) =>
    `${Math.min(...trials.map((t) => t.arms[0].right[set].length))} of ${NAMES[set]}`
  );
  return `# Annealing: what MedPix brings to ROCO, and when it is given

Share of short test questions answered word for word by greedy generation, in percent; mean over ${trials.length} trials with its
95 % interval (Student's t): the trial is the random unit.

| arm | share of MedPix, % | uses of a MedPix pair | ROCO test | MedPix test | last loss | least loss |
|---|---|---|---|---|---|---|
${rows.join("\n")}

Losses: of the shared validation pairs, half of either data set, in nats per token, at the end and at their least.

## Differences on the same questions, in points

| first arm - second arm | ROCO test | trials with more | MedPix test | trials with more |
|---|---|---|---|---|
${compared.join("\n")}

No correction for ${2 * COMPARED.length} comparisons: an interval that barely leaves 0 is no finding.

Every trial is a course of its own (seeds ${
    trials.map(({ seed }) => seed).join(", ")
  }): phantoms, teacher pairs, stage 1, initial
adapter, order of pairs. All arms take the same number of steps and go on from the same stage 1; those that mix draw the same
number of MedPix pairs. Questions per trial, at least: ${
    items.join(", ")
  }. "Falling" is the ramp the other way round. The end phase
is the last ${percent(PHASE)} % of the steps: ${
    percent(LATE)
  } % of MedPix, and a learning rate that falls to 0; "constant, rate falls" has that rate alone.

${where}.
`;
}

/**
 * `./lab bench annealing`: the arms of every course that `./lab bench checks` has run up to notebook 04; a seed that an ended
 * bench has trained is found among the kept trainings.
 *
 * @throws when there is no such course
 */
export async function benchAnnealing(seeds: readonly number[] | null): Promise<void> {
  const courses = join(paths.results, "bench", "checks"), trials: AnnealingTrial[] = [];
  const found = (await exists(courses) ? [...Deno.readDirSync(courses)] : [])
    .flatMap(({ name }) => /^seed-(\d+)$/.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => a - b);
  const missing = seeds?.filter((seed) => !found.includes(seed)) ?? [], chosen = seeds ?? found;
  if (chosen.length === 0 || missing.length > 0) {
    throw new Error(
      `There is no course of ${
        missing.length ? `seed ${missing.join(", ")}` : "any seed"
      }: run ./lab bench checks --seeds ${
        missing.join(",") || "1,2,3,4,5"
      } --notebooks 00,01,02,03,04 first.`,
    );
  }
  const here = describeMachine(await machine()), before = load();
  for (const seed of chosen) {
    const own = join(courses, `seed-${seed}`), script = new URL("./annealing_trial.ts", import.meta.url).href;
    const { success, stdout } = await tiedCommand(Deno.execPath(), {
      args: ["run", "-A", "--quiet", script],
      cwd: paths.root,
      env: {
        SCALE: "tiny",
        LAB_SET: `seed=${seed}`,
        LAB_DATA_LOCAL: join(own, "data"),
        LAB_RESULTS: join(own, "results"),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`The trial of seed ${seed} failed, for the reason above.`);
    trials.push(AnnealingTrial.parse(JSON.parse(new TextDecoder().decode(stdout))));
    const where = `${here}. Load of the machine ${before.toFixed(1)} before, ${load().toFixed(1)} after`;
    const text = annealingText(trials, where), place = await writeBench("annealing", trials, text);
    if (seed === chosen[chosen.length - 1]) console.log(`${text}\nWritten to ${place}.`);
  }
}
