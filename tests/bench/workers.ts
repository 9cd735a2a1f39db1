/** `./lab bench workers`: what it costs that several processes train together, measured here and reckoned for many GPUs. */
import { trainedNumbers } from "@lib/model/cost.ts";
import { parseConfig } from "@lib/weights/config.ts";
import { median } from "@lib/stats/mod.ts";
import { type BenchModel, MODELS, RANK, type StepCase, type StepMeasurement } from "./cases.ts";
import { measureInProcess } from "./case_process.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { H200 } from "@lib/cli/support/plan.ts";
import { workerEnvironments } from "@lib/cli/support/workers.ts";

const WORKERS = [1, 2, 3] as const;
const FLOAT = 4;

/** Bytes that each of `workers` processes sends in a ring, when all add up so many numbers. */
export const ringBytes = (numbers: number, workers: number): number =>
  2 * (workers - 1) / workers * numbers * FLOAT;

/** What connects GPUs, for the reckoning. */
export interface Network {
  /** Bytes a second that a GPU sends to its neighbour in the ring, at the ring's slowest place. */
  bandwidth: number;
  /** Seconds from one GPU to the next. */
  latency: number;
}

/**
 * Seconds in which a ring adds up `bytes` bytes over so many GPUs: each sends its share of them 2 (n - 1) times.
 * Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations" (2009).
 */
export const ringSeconds = (bytes: number, gpus: number, { bandwidth, latency }: Network): number =>
  2 * (gpus - 1) * (latency + bytes / gpus / bandwidth);

/** Within a machine of 8 H200: NVLink, 450 GB/s each way; between machines one 400 Gb/s adapter for each GPU. */
const NVLINK: Network = { bandwidth: 450e9, latency: 3e-6 };
const FABRIC: Network = { bandwidth: 50e9, latency: 5e-6 };
const GPUS = [1, 8, 64, 256, 1024], PER_MACHINE = 8;

/** Rows of the reckoning: a step of each stage by so many GPUs, at the rates that were measured on one. */
export function onPaper(): {
  stage: 1 | 2;
  gpus: number;
  batch: number;
  sumMs: number;
  share: number;
  rate: number;
}[] {
  const model = parseConfig({ model_type: "paligemma" }), each = 6; // So400m and Gemma 2B; examples of a GPU's batch
  return ([[1, H200.stage1.rate], [2, H200.stage2.rate]] as const).flatMap(([stage, rate]) => {
    const numbers = trainedNumbers(
      model,
      stage === 1 ? { stage, featuresKept: false, recompute: true } : { stage, rank: RANK, recompute: true },
    );
    return GPUS.map((gpus) => {
      const sum = ringSeconds(FLOAT * numbers, gpus, gpus > PER_MACHINE ? FABRIC : NVLINK),
        alone = each / rate;
      const share = alone / (alone + sum);
      return { stage, gpus, batch: gpus * each, sumMs: 1000 * sum, share, rate: gpus * rate * share };
    });
  });
}

/** A case with what rank 0 measured, one per round. */
interface WorkersResult {
  model: BenchModel;
  workers: number;
  rounds: StepMeasurement[];
}

/** What results/local/bench/workers.json holds. */
export interface WorkersReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  results: WorkersResult[];
}

async function measure(model: BenchModel, workers: number): Promise<StepMeasurement> {
  const stepCase: StepCase = { model, stage: "stage 2", mode: "graph" };
  const environments = workers === 1 ? [{}] : workerEnvironments(workers);
  const [first] = await Promise.all(
    environments.map((env, rank) =>
      measureInProcess<StepMeasurement>("./step_case.ts", [JSON.stringify(stepCase)], {
        what: `${model}, process ${rank + 1} of ${workers}`,
        env,
      })
    ),
  );
  return first;
}

/** The report as Markdown tables. */
export function workersText({ machine, load, results }: WorkersReport): string {
  const rows = results.map(({ model, workers, rounds }) => {
    const step = median(rounds.flatMap((round) => round.seconds)), { numbers } = rounds[0];
    const examples = workers * MODELS[model].batch;
    const measured = (of: (round: StepMeasurement) => number, digits: number) =>
      workers === 1 ? "–" : median(rounds.map(of)).toFixed(digits);
    return `| ${model} | ${workers} | ${examples} | ${(1000 * step).toFixed(0)} | ${
      (examples / step).toFixed(1)
    } | ${(ringBytes(numbers, workers) / 1e6).toFixed(2)} | ${
      measured(({ sentBytes }) => sentBytes / 1e6, 2)
    } | ${measured(({ reduceMs }) => reduceMs, 1)} | ${
      Math.max(...rounds.map((round) => round.peakMiB)).toFixed(0)
    } |`;
  });
  const paper = onPaper().map(({ stage, gpus, batch, sumMs, share, rate }) =>
    `| ${stage} | ${gpus.toLocaleString("en")} | ${batch.toLocaleString("en")} | ${sumMs.toFixed(2)} | ${
      (100 * share).toFixed(1)
    } | ${Math.round(rate).toLocaleString("en")} |`
  );
  return `# Several processes train together

Measured: a step of stage 2 (LoRA, r = ${RANK}), TensorFlow's graph, random weights and data, a batch of its own for each
process. The processes add up their gradients by TensorFlow's collectives on this machine. Without GPUs they share its cores, so
that examples/s do not tell what more devices bring; where other programs want the cores too, more processes get more of them. What each
sends is measured on the machine's loopback, whose traffic by other programs, were there any, would be in it.

| model | processes | examples a step | step, ms | examples/s | MB that each sends in a step, by the ring's rule | measured | adding up alone, ms | peak MiB of one |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

Medians; rounds in turn: ${results[0].rounds.length}. ${describeMachine(machine)}. Load of the machine ${
    load.before.toFixed(1)
  } before, ${load.after.toFixed(1)} after.

On paper, not measured: PaliGemma-3B on H200s, 6 examples for each GPU, at the rates that one reaches alone (stage 1 ${H200.stage1.rate},
stage 2 ${H200.stage2.rate} examples/s, results/bench/gpu.md).

| stage | GPUs | examples a step | adding up, ms | % of the rate without | examples/s |
|---|---|---|---|---|---|
${paper.join("\n")}

Assumed: a ring, 2 (n - 1) (latency + bytes / n / bandwidth); within a machine of ${PER_MACHINE} NVLink with ${
    NVLINK.bandwidth / 1e9
  } GB/s and ${1e6 * NVLINK.latency} us, beyond it
${FABRIC.bandwidth / 1e9} GB/s for each GPU and ${
    1e6 * FABRIC.latency
  } us; sums in float32, not overlapped with the backward pass. Left out:
that all wait for the slowest in every step, reading images, validation, and what a batch of thousands does to learning (the rate
would have to be chosen anew). NCCL takes trees where latency dominates, which the ring's figures do not grant.
`;
}

/** `./lab bench workers`: measures in alternating rounds; prints and writes the tables. */
export async function benchWorkers(models: readonly BenchModel[], rounds: number): Promise<void> {
  const results: WorkersResult[] = models.flatMap((model) =>
    WORKERS.map((workers) => ({ model, workers, rounds: [] }))
  );
  const about = await machine(), startedAt = new Date().toISOString(), before = load();
  for (let round = 0; round < rounds; round++) {
    for (const { model, workers, rounds: done } of round % 2 ? results.toReversed() : results) {
      done.push(await measure(model, workers));
      console.error(
        `round ${round + 1}/${rounds}  ${model}, ${workers} workers: ${
          (1000 * median(done.at(-1)!.seconds)).toFixed(0)
        } ms`,
      );
    }
  }
  const report: WorkersReport = { machine: about, startedAt, load: { before, after: load() }, results };
  const text = workersText(report);
  console.log(text);
  console.log(`Written to ${await writeBench("workers", report, text)}.`);
}
