import { type Config, limited, loadConfig } from "../../config/mod.ts";
import { openModel } from "../../model/mod.ts";
import { newcombePaired, type PairedComparison, percent, wilsonInterval } from "../../stats/mod.ts";
import { type AdaptationTrial, adaptationTrial } from "../../training/mod.ts";
import { writeBench } from "./bench_files.ts";
import { describeMachine, load, type Machine, machine } from "./bench_machine.ts";
import { formatSeconds } from "./time.ts";

/** What results/local/bench/adaptation.json holds. */
export interface AdaptationReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  config: Config;
  perType: number;
  testPerGroup: number;
  trials: AdaptationTrial[];
}

const MODELS = {
  base: "base model",
  stage1: "stage 1",
  stage2: "stage 1, then stage 2",
  stage2WithoutStage1: "stage 2 without stage 1",
  stage2WithReplay: "stage 1, then stage 2 with replay",
};

const COMPARISONS = {
  stage1OnAnatomy: "stage 1 - base, anatomy",
  stage2OnLesions: "stage 2 - stage 1, lesions",
  withAgainstWithoutStage1: "stage 2 with - without stage 1, lesions",
  forgetting: "stage 2 - stage 1, anatomy (forgetting)",
} as const;

const signed = (x: number) => `${x > 0 ? "+" : ""}${percent(x)}`;

function share(right: number, total: number): string {
  const { low, high } = wilsonInterval(right, total);
  return `${percent(right / total)} [${percent(low)}, ${percent(high)}]`;
}

function difference(counts: PairedComparison["counts"]): string {
  const { estimate, low, high } = newcombePaired(counts);
  return `${signed(estimate)} [${signed(low)}, ${signed(high)}]`;
}

const total = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0);

/** The report as Markdown: accuracies and paired differences, per trial and over all. */
export function adaptationText(report: AdaptationReport): string {
  const { trials, config, machine, load } = report;
  const header = (first: string) =>
    `| ${first} | ${trials.map((t) => `trial ${t.trial}`).join(" | ")} | all |\n|---|${
      "---|".repeat(trials.length + 1)
    }`;
  const accuracies = (group: "anatomy" | "lesion") =>
    Object.entries(MODELS).map(([key, name]) => {
      const of = trials.map((t) => t.accuracy[key][group]);
      const all = share(total(of.map((a) => a.right)), total(of.map((a) => a.total)));
      return `| ${name} | ${of.map((a) => share(a.right, a.total)).join(" | ")} | ${all} |`;
    }).join("\n");
  const comparisons = Object.entries(COMPARISONS).map(([key, name]) => {
    const of = trials.map((t) => t[key as keyof typeof COMPARISONS].counts);
    const sum = (kind: keyof PairedComparison["counts"]) => total(of.map((counts) => counts[kind]));
    const all = {
      both: sum("both"),
      onlyFirst: sum("onlyFirst"),
      onlySecond: sum("onlySecond"),
      neither: sum("neither"),
    };
    return `| ${name} | ${of.map(difference).join(" | ")} | ${difference(all)} |`;
  }).join("\n");
  const { stage1, stage2 } = config,
    minutes = (of: "stage1" | "stage2") => trials.map((t) => formatSeconds(t.seconds[of])).join(", ");
  return `# Adapting the nano model to phantoms of another style

Share of questions answered word for word by greedy generation, in percent with 95 % Wilson intervals.${
    config.limit === null ? "" : ` **Limited to ${config.limit} rows and steps: these are no results.**`
  }

## Anatomy questions (what stage 1 is trained on)

${header("model")}
${accuracies("anatomy")}

## Lesion questions (what stage 2 is trained on)

${header("model")}
${accuracies("lesion")}

## Differences on the same questions

In percentage points with 95 % intervals (Newcombe, paired).

${header("later model minus earlier one")}
${comparisons}

Every trial draws its own training and test phantoms (seeds fixed beforehand), initial adapter and order of batches. The
intervals are of the questions of the trials done; "all" pools them, and how far trials differ is to be seen beside it.
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

/** `./lab bench adaptation`: trials 1 to `count` of lib/training's adaptationTrial; writes the table after each. */
export async function benchAdaptation(count: number, limit: number | null): Promise<void> {
  const config = loadConfig({
    ...Deno.env.toObject(),
    SCALE: "tiny",
    LIMIT: limit === null ? "" : `${limit}`,
  });
  const perType = Math.min(400, limit ?? Infinity),
    testPerGroup = limit === null ? 500 : Math.min(500, 20 * limit);
  const { model, tokenizer } = await openModel(config);
  const report: AdaptationReport = {
    machine: await machine(),
    startedAt: new Date().toISOString(),
    load: { before: load(), after: NaN },
    config,
    perType,
    testPerGroup,
    trials: [],
  };
  let place = "";
  for (let trial = 1; trial <= count; trial++) {
    const start = performance.now();
    const log = (line: string) =>
      console.error(`${formatSeconds((performance.now() - start) / 1000).padStart(12)}  ${line}`);
    report.trials.push(
      await adaptationTrial(model, tokenizer, config, trial, { perType, testPerGroup, log }),
    );
    report.load.after = load();
    place = await writeBench("adaptation", report, adaptationText(report));
  }
  console.log(adaptationText(report));
  console.log(`Written to ${place}, with all counts in adaptation.json beside it.`);
}
