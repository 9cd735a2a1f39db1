import { cellsToJudge, type Config, limited } from "../../config/mod.ts";
import { type DatasetManifest, type DatasetState, downloadSize, unpackedSize } from "../../download/mod.ts";
import { captionCount, kindsFor } from "../../synthesis/mod.ts";
import { formatBytes } from "./bytes.ts";
import { formatSeconds } from "./time.ts";

/** How an amount is known. Nothing is guessed: what nobody measured and nothing gives is "unknown". */
export type Known = "exact" | "about" | "computed" | "measured" | "estimate" | "unknown";

export interface PlanLine {
  what: string;
  amount: string;
  known: Known;
  remark?: string;
}

/** A checkpoint as far as it is known before it is opened. */
export interface ModelFacts {
  /** Null where the checkpoint is neither here nor described below. */
  parameters: number | null;
  downloadBytes: number | null;
  downloadKnown: Known;
  here: boolean;
  licence: string;
  /** The hub gives its files only to accounts that accepted the licence. */
  gated: boolean;
}

/** What the hub's checkpoints are known to be, without having been asked. */
export const PUBLISHED: Readonly<Record<string, Pick<ModelFacts, "parameters" | "licence" | "gated">>> = {
  "google/paligemma-3b-mix-448": {
    parameters: 2_924_351_216, // of its configuration, built without weights in transformers
    licence:
      "Gemma terms of use: https://ai.google.dev/gemma/terms; accept them on the model's page of the hub",
    gated: true,
  },
};

/** A data set that a run needs, and what of it is here. */
export interface NeededDataset {
  manifest: DatasetManifest;
  state: DatasetState;
  accepted: boolean;
}

/** Everything that a plan depends on besides the configuration. */
export interface Surroundings {
  model: ModelFacts;
  datasets: readonly NeededDataset[];
  /** Data sets of one's own that the configuration names, and whether `./lab data add` knows them. */
  own: readonly { name: string; here: boolean }[];
  freeDisk: number;
  memory: { total: number; available: number };
  /** What nvidia-smi says, a line each. */
  gpus: readonly string[];
  /** Stage -> seconds of a recorded or own run of this scale, and where it was measured. */
  times: readonly { stage: string; seconds: number; remark: string }[];
  hasToken: boolean;
  /** Whether the two roles have a server of their own. */
  servers: { teacher: boolean; judge: boolean };
}

export function licenceLines({ model, datasets, own }: Surroundings): PlanLine[] {
  return [
    { what: "model", amount: model.licence, known: "exact" },
    ...datasets.map(({ manifest: { name, licence }, accepted }): PlanLine => ({
      what: name,
      amount: `${licence.name}${licence.nonCommercial ? "; noncommercial" : ""}`,
      known: "exact",
      remark: !licence.mustAccept ? "" : accepted ? "accepted" : "not accepted yet",
    })),
    ...own.map(({ name, here }): PlanLine => ({
      what: name,
      amount: "your own",
      known: "exact",
      remark: here ? "" : "not added yet",
    })),
  ];
}

/** What is still to come over the network. */
export function downloadLines({ model, datasets }: Surroundings): PlanLine[] {
  const lines: PlanLine[] = [];
  if (!model.here) {
    const { downloadBytes, downloadKnown } = model;
    lines.push({ what: "model", ...size(downloadBytes, downloadKnown) });
  }
  for (const { manifest, state } of datasets) {
    if (state === "ready") continue;
    const { bytes, exact } = downloadSize(manifest);
    const remark = state === "partial" ? "a part is here" : "";
    lines.push({ what: manifest.name, ...size(bytes, exact ? "exact" : "about"), remark });
  }
  if (lines.length === 0) return [{ what: "nothing", amount: "all is here", known: "exact" }];
  const { download, complete } = diskNeeded({ model, datasets });
  const minutes = `at 100 Mbit/s: ${formatSeconds((download * 8) / 100e6)}`;
  const amount = `${formatBytes(download)}${complete ? "" : " and what is unknown"}`;
  return [...lines, { what: "together", amount, known: "about", remark: minutes }];
}

/** Bytes to download, and the most that archives may unpack to; `complete` is false where a length is unknown. */
function diskNeeded({ model, datasets }: Pick<Surroundings, "model" | "datasets">) {
  const missing = datasets.filter(({ state }) => state !== "ready").map(({ manifest }) => manifest);
  const sizes = [...missing.map((m) => downloadSize(m).bytes), ...(model.here ? [] : [model.downloadBytes])];
  return {
    download: sizes.reduce((sum: number, n) => sum + (n ?? 0), 0),
    unpacked: missing.reduce((sum, m) => sum + unpackedSize(m), 0),
    complete: !sizes.includes(null),
  };
}

const size = (bytes: number | null, known: Known): Pick<PlanLine, "amount" | "known"> =>
  bytes === null ? { amount: "unknown", known: "unknown" } : { amount: formatBytes(bytes), known };

/** Disk and memory that a run takes, beside what the machine has. */
export function roomLines(config: Config, around: Surroundings): PlanLine[] {
  const { model, freeDisk, memory, gpus } = around, { download, unpacked, complete } = diskNeeded(around);
  const width = config.model.dtype === "bfloat16" ? 2 : 4;
  return [
    {
      what: "disk for data",
      amount: `${formatBytes(download + unpacked)}${complete ? "" : " and what is unknown above"}`,
      known: "computed",
      remark: "downloads and the most that their archives may unpack to",
    },
    { what: "disk free", amount: formatBytes(freeDisk), known: "measured" },
    {
      what: "memory, weights",
      ...size(model.parameters === null ? null : model.parameters * width, "computed"),
      remark: `${config.model.dtype}; on the GPU where there is one`,
    },
    { what: "memory, the rest", amount: "unknown", known: "unknown", remark: "activations: not measured" },
    {
      what: "memory here",
      amount: `${formatBytes(memory.available)} free of ${formatBytes(memory.total)}`,
      known: "measured",
    },
    { what: "GPU", amount: gpus.join("; ") || "none found: TensorFlow runs on the CPU", known: "measured" },
  ];
}

/** The work that a configuration asks for, counted. */
export function workLines(
  config: Config,
  cells: number,
  rowsOfStage1: number | null,
  ownTeacher: boolean,
): PlanLine[] {
  const { synthesis, stage1, stage2, evaluation } = config;
  const number = (n: number) => n.toLocaleString("en");
  const rows = rowsOfStage1 === null ? null : limited(rowsOfStage1, config);
  const steps = limited(stage2.steps, config), perStep = stage2.batchSize * stage2.accumulation;
  const closed = limited(evaluation.closedItems, config), open = limited(evaluation.openItems, config);
  const judged = cellsToJudge(config).length;
  return [
    {
      what: "teacher",
      amount: `${
        number(captionCount(config) * kindsFor(!ownTeacher).length)
      } requests at most, ${synthesis.maxTokens} tokens each at most`,
      known: "computed",
      remark: synthesis.verify ? "and one about every pair that comes of them" : "",
    },
    rows === null
      ? { what: "stage 1", amount: "unknown", known: "unknown", remark: "notebook 01 draws the rows" }
      : {
        what: "stage 1",
        amount: `${number(stage1.epochs * Math.ceil(rows / stage1.batchSize))} steps of ${stage1.batchSize}`,
        known: "computed",
        remark: `${stage1.epochs} epochs of ${number(rows)} rows`,
      },
    {
      what: "stage 2",
      amount: `${cells} cells of ${number(steps)} steps of ${perStep}: ${
        number(cells * steps * perStep)
      } examples`,
      known: "computed",
    },
    {
      what: "evaluation",
      amount: `up to ${number(closed * evaluation.runs)} answers a cell to closed questions, ${
        number(open)
      } to open ones`,
      known: "computed",
      remark: "the closed ones twice more, with grey and with other images",
    },
    {
      what: "judge",
      amount: `${number(open * judged)} requests at most for ${judged} cells`,
      known: "computed",
    },
  ];
}

/**
 * Examples a second, and GPU memory in bytes, of this code on one H200 (results/bench/gpu.md): XLA by block with recomputation,
 * bfloat16, batches of 6 with 1,073 tokens an example, stage 1 from kept features (and with TF32).
 */
export const H200 = {
  checkpoint: "google/paligemma-3b-mix-448",
  stage1: { rate: 42.2, bytes: 9.2e9 },
  stage2: { rate: 20.1, bytes: 17.8e9 },
} as const;

/**
 * GPU time of both stages at the rates of an H200, and what it costs; unknown for what was not measured.
 * @param price of an hour of the GPU, in whatever currency; null if not known
 */
export function gpuLines(
  config: Config,
  cells: number,
  rowsOfStage1: number | null,
  price: number | null,
): PlanLine[] {
  const { stage1, stage2, model } = config;
  const isMeasured = model.checkpoint === H200.checkpoint && model.dtype === "bfloat16" &&
    model.compiler === "xla" && model.matmulPrecision === "float32" && stage2.recompute &&
    stage1.keepFeatures;
  if (!isMeasured || rowsOfStage1 === null) {
    if (config.scale === "tiny") return [];
    const remark =
      `rates were measured of ${H200.checkpoint} in bfloat16 with xla, float32 products, recompute and keepFeatures only`;
    return [{ what: "both stages", amount: "unknown", known: "unknown", remark }];
  }
  const examples = {
    stage1: stage1.epochs * limited(rowsOfStage1, config),
    stage2: cells * limited(stage2.steps, config) * stage2.batchSize * stage2.accumulation,
  };
  const line = (what: string, seconds: number, remark: string): PlanLine => ({
    what,
    amount: formatSeconds(seconds) + (price === null ? "" : `: ${(seconds / 3600 * price).toFixed(2)}`),
    known: "estimate",
    remark,
  });
  const of = (stage: "stage1" | "stage2") => examples[stage] / H200[stage].rate;
  const told = ({ rate, bytes }: { rate: number; bytes: number }) =>
    `one H200 at the ${rate} examples a second that were measured, in ${formatBytes(bytes)}`;
  return [
    line("stage 1", of("stage1"), `${told(H200.stage1)}, with TF32`),
    line("stage 2", of("stage2"), told(H200.stage2)),
    line(
      "both stages",
      of("stage1") + of("stage2"),
      "the cells of stage 2 can be trained on as many GPUs at once",
    ),
    {
      what: "teacher, judge, evaluation",
      amount: "unknown",
      known: "unknown",
      remark:
        "16 prompts of PaliGemma with 5 answers of 32 tokens each took an H200 0.28 s (results/bench/gpu.md); " +
        "./lab answer shares evaluation among GPUs",
    },
  ];
}

export function timeLines({ times }: Surroundings, scale: string): PlanLine[] {
  if (times.length === 0) {
    return [{
      what: "time",
      amount: "unknown",
      known: "unknown",
      remark: `no run at ${scale} scale was measured`,
    }];
  }
  const lines = times.map(({ stage, seconds, remark }): PlanLine => ({
    what: stage,
    amount: formatSeconds(seconds),
    known: "measured",
    remark,
  }));
  const sum = times.reduce((total, { seconds }) => total + seconds, 0);
  return [...lines, { what: "all of these", amount: formatSeconds(sum), known: "measured" }];
}

/** What to do before the run, in order; each with the command or setting. Then the run itself. */
export function nextSteps(config: Config, around: Surroundings): string[] {
  const steps: string[] = [], { model, datasets, own, hasToken, servers, gpus } = around;
  const { download, unpacked } = diskNeeded(around);
  if (download + unpacked > around.freeDisk) {
    steps.push(
      `make room: ${formatBytes(download + unpacked)} are needed, ${formatBytes(around.freeDisk)} are free`,
    );
  }
  if (!model.here && model.gated && !hasToken) {
    steps.push(
      `accept the licence of ${config.model.checkpoint} on the hub, then set HF_TOKEN to a read token`,
    );
  }
  for (const { manifest, state } of datasets) {
    if (state !== "ready") steps.push(`./lab data ${manifest.name}`);
  }
  for (const { name, here } of own) {
    if (!here) steps.push(`./lab data add FOLDER --name ${name}`);
  }
  if (config.scale === "full") {
    for (const role of ["teacher", "judge"] as const) {
      const name = role.toUpperCase();
      if (!servers[role]) {
        steps.push(`set ${name}_URL and ${name}_MODEL (else SmolLM2-135M on the CPU is the ${role})`);
      }
    }
    if (gpus.length === 0) steps.push("find a GPU, or add --limit: full scale on a CPU is for a few rows");
  }
  const limit = config.limit === null ? "" : ` --limit ${config.limit}`;
  return [
    ...steps,
    config.scale === "tiny" && !limit ? "./lab demo" : `./lab run 00 --scale ${config.scale}${limit}`,
  ];
}

/** Lines in columns, with how each amount is known in brackets. */
export function renderLines(lines: readonly PlanLine[]): string {
  const width = Math.max(...lines.map(({ what }) => what.length));
  return lines.map(({ what, amount, known, remark }) =>
    `  ${what.padEnd(width)}  ${amount}${["exact", "unknown"].includes(known) ? "" : ` [${known}]`}` +
    (remark ? ` (${remark})` : "")
  ).join("\n");
}
