import { type Config, limited, loadConfig } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { HELD_OUT } from "@lib/phantom/names.ts";
import { type PairedComparison, percent, wilsonInterval } from "@lib/stats/mod.ts";
import { acrossTrials, type TrialEstimate, type TrialSummary } from "@lib/stats/trials.ts";
import { newcombePaired } from "@lib/stats/paired.ts";
import { type AdaptationTrial, adaptationTrial } from "./adaptation_trial.ts";
import { COMBINATION_TYPES } from "./combinations.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** What results/local/bench/adaptation.json holds. */
export interface AdaptationReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  config: Config;
  perType: number;
  testPerGroup: number;
  /** Of either type, about held-out combinations; as many about trained ones. */
  combinations: number;
  trials: AdaptationTrial[];
}

const MODELS = {
  base: "base model",
  stage1: "stage 1",
  stage2: "stage 1, then stage 2",
  stage2WithoutStage1: "stage 2 without stage 1",
  stage2WithReplay: "stage 1, then stage 2 with replay",
};

/** Questions of either type about held-out combinations in each trial. */
const COMBINATIONS = 150;

const COMPARISONS = {
  stage1OnAnatomy: "stage 1 - base, anatomy",
  stage2OnLesions: "stage 2 - stage 1, lesions",
  withAgainstWithoutStage1: "stage 2 with - without stage 1, lesions",
  forgetting: "stage 2 - stage 1, anatomy (forgetting)",
} as const;

/** A share of one trial with its variance, by which no trial seems to be without error. */
function shareOf({ right, total: n }: { right: number; total: number }): TrialEstimate {
  const p = (right + 1) / (n + 2);
  return { estimate: right / n, variance: p * (1 - p) / n };
}

/** A difference in points with its sign. */
export const signed = (x: number) => `${x > 0 ? "+" : ""}${percent(x)}`;

function share(right: number, total: number): string {
  const { low, high } = wilsonInterval(right, total);
  return `${percent(right / total)} [${percent(low)}, ${percent(high)}]`;
}

function difference(counts: PairedComparison["counts"]): string {
  const { estimate, low, high } = newcombePaired(counts);
  return `${signed(estimate)} [${signed(low)}, ${signed(high)}]`;
}

/**
 * A mean over the trials, each counted once; a single one has no interval. Student's t of few trials reaches past what a
 * share or a difference can be: the interval ends there.
 */
export function trialMean(
  { mean: { estimate, low, high } }: TrialSummary,
  text: (x: number) => string,
  least: number,
): string {
  if (Number.isNaN(low)) return text(estimate);
  return `${text(estimate)} [${text(Math.max(least, low))}, ${text(Math.min(1, high))}]`;
}

/** Differences of the trials; half an item more on either side, so that no trial seems to be without error. */
export const differences = (counts: readonly PairedComparison["counts"][]): TrialSummary =>
  acrossTrials(counts.map(({ both, onlyFirst, onlySecond, neither }) => {
    const n = both + onlyFirst + onlySecond + neither, net = onlyFirst - onlySecond;
    return { estimate: net / n, variance: (onlyFirst + onlySecond + 1 - net ** 2 / n) / n ** 2 };
  }));

/** A model's answers about trained and held-out combinations, over the trials, for both questions. */
function combinationRow(model: string, trials: readonly AdaptationTrial[]): string {
  const cells = COMBINATION_TYPES.flatMap((type) => {
    const estimates = trials.map(({ combinations }) => {
      const { trained, heldOut } = combinations[model][type], [a, b] = [trained, heldOut].map(shareOf);
      return [a, b, { estimate: b.estimate - a.estimate, variance: a.variance + b.variance }];
    });
    const [trained, heldOut, fall] = [0, 1, 2].map((i) => acrossTrials(estimates.map((one) => one[i])));
    return [trialMean(trained, percent, 0), trialMean(heldOut, percent, 0), trialMean(fall, signed, -1)];
  });
  return cells.join(" | ");
}

/** The report as Markdown: accuracies and paired differences, per trial and over the trials. */
export function adaptationText(report: AdaptationReport): string {
  const { trials, config, machine, load } = report;
  const header = (first: string, ...last: string[]) => {
    const columns = [first, ...trials.map((t) => `trial ${t.trial}`), ...last];
    return `| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}`;
  };
  const accuracies = (group: "anatomy" | "lesion") =>
    Object.entries(MODELS).map(([key, name]) => {
      const of = trials.map((t) => t.accuracy[key][group]);
      const all = acrossTrials(of.map(shareOf));
      return `| ${name} | ${of.map((a) => share(a.right, a.total)).join(" | ")} | ${
        trialMean(all, percent, 0)
      } |`;
    }).join("\n");
  const comparisons = Object.entries(COMPARISONS).map(([key, name]) => {
    const of = trials.map((t) => t[key as keyof typeof COMPARISONS].counts), all = differences(of);
    const unlike = trials.length > 1
      ? `${percent(all.sd)}; Q = ${all.q.toFixed(1)}, p ${
        all.p < 0.001 ? "< 0.001" : `= ${all.p.toFixed(3)}`
      }; ${percent(all.unexplained)} %`
      : "–";
    return `| ${name} | ${of.map(difference).join(" | ")} | ${trialMean(all, signed, -1)} | ${unlike} |`;
  }).join("\n");
  const unseen = Object.entries(HELD_OUT).map(([organ, lesion]) => `${lesion} in the ${organ}`).join(", ");
  const { stage1, stage2 } = config,
    minutes = (of: "stage1" | "stage2") => trials.map((t) => formatSeconds(t.seconds[of])).join(", ");
  return `# Adapting the nano model to phantoms of another style

Share of questions answered word for word by greedy generation, in percent with 95 % Wilson intervals.${
    config.limit === null ? "" : ` **Limited to ${config.limit} rows and steps: these are no results.**`
  }

## Anatomy questions (what stage 1 is trained on)

${header("model", "all trials")}
${accuracies("anatomy")}

## Lesion questions (what stage 2 is trained on)

${header("model", "all trials")}
${accuracies("lesion")}

## Differences on the same questions

In percentage points with 95 % intervals (Newcombe, paired; over all trials Student's t).

${header("later model minus earlier one", "all trials", "how unlike the trials are")}
${comparisons}

## Combinations of lesion and organ that no training picture shows

| model | the lesion, trained | held out | difference | its organ, trained | held out | difference |
|---|---|---|---|---|---|---|
${Object.entries(MODELS).map(([key, name]) => `| ${name} | ${combinationRow(key, trials)} |`).join("\n")}

What the lesion is and in which organ, asked about ${report.combinations} phantoms a trial whose combination (${unseen}) is in no
training picture, of pre-training either; trained: as many questions with the same answers, about the
same lesion in another organ, or the same patient with another lesion at the same place. All trials, as above.

Every trial draws its own training and test phantoms (seeds fixed beforehand), initial adapter and order of batches. The
intervals of one trial are of its questions: they say nothing of another training. "All trials" counts each trial once (mean,
95 % interval by Student's t, cut at 0 and 100 %, or at -100 and +100 points): the trial is the random unit. How unlike the trials are: their standard deviation in points;
Cochran's Q of equal differences with its p; the share of the spread that the questions do not explain (I²).
Training: ${report.perType} questions per type; test: ${report.testPerGroup} per group and trial, each on a phantom of its own. Stage 1:
${stage1.epochs} epochs of batches of ${stage1.batchSize} at ${stage1.learningRate}; stage 2: ${
    limited(stage2.steps, config)
  } steps of ${stage2.batchSize} at ${stage2.learningRate}, LoRA r = ${stage2.rank}. Time of stage 1:
${minutes("stage1")}; of one stage 2: ${minutes("stage2")}.

${describeMachine(machine)}. Load of the machine ${load.before.toFixed(1)} before, ${
    load.after.toFixed(1)
  } after.
`;
}

/** `./lab bench adaptation`: trials 1 to `count` of `adaptationTrial`; writes the table after each. */
export async function benchAdaptation(count: number, limit: number | null): Promise<void> {
  const config = loadConfig({
    ...Deno.env.toObject(),
    SCALE: "tiny",
    LIMIT: limit === null ? "" : `${limit}`,
  });
  const perType = Math.min(400, limit ?? Infinity),
    testPerGroup = limit === null ? 500 : Math.min(500, 20 * limit),
    combinations = Math.min(COMBINATIONS, limit ?? Infinity);
  const { model, tokenizer } = await openModel(config);
  const report: AdaptationReport = {
    machine: await machine(),
    startedAt: new Date().toISOString(),
    load: { before: load(), after: NaN },
    config,
    perType,
    testPerGroup,
    combinations,
    trials: [],
  };
  let place = "";
  for (let trial = 1; trial <= count; trial++) {
    const start = performance.now();
    const log = (line: string) =>
      console.error(`${formatSeconds((performance.now() - start) / 1000).padStart(12)}  ${line}`);
    report.trials.push(
      await adaptationTrial(model, tokenizer, config, trial, { perType, testPerGroup, combinations, log }),
    );
    report.load.after = load();
    place = await writeBench("adaptation", report, adaptationText(report));
  }
  console.log(adaptationText(report));
  console.log(`Written to ${place}, with all counts in adaptation.json beside it.`);
}
