/**
 * Trains and asks every arm on one course's notebooks 01 to 04, in the results folder that LAB_RESULTS names: a trial of
 * `./lab bench annealing`, which reads the JSON printed at the end.
 */
import { mix, scheduleOf, scheduleRows, withoutShared } from "@lib/annealing/mod.ts";
import { openInput } from "@lib/artifacts/mod.ts";
import { lookalikesOf, picturesOf, readCopies } from "@lib/audit/mod.ts";
import { type Config, loadConfig } from "@lib/config/mod.ts";
import { corpusRecords } from "@lib/corpus/mod.ts";
import { evaluationRecords, exact, gridItems } from "@lib/evaluation/mod.ts";
import { askModel } from "@lib/answers/ask_model.ts";
import { openModel } from "@lib/model/mod.ts";
import { QaPair } from "@lib/synthesis/mod.ts";
import { dispose } from "@lib/tensor/mod.ts";
import { cellData, readablePairs, trainCell } from "@lib/training/mod.ts";
import { readSafetensors } from "@lib/weights/mod.ts";
import { annealingArms, type AnnealingTrial, type Arm, ARM_TESTS, type ArmResult } from "./annealing_arms.ts";

/** Short test questions of each data set at most. */
const MOST_ITEMS = 400;

const config = loadConfig();
const { model, tokenizer, store } = await openModel(config);
using data = await openInput("01_data", config);
using annealed = await openInput("03_annealing", config);
using stage1 = await openInput("04_stage1", config);
const records = await corpusRecords(data),
  pictures = picturesOf(records, lookalikesOf(await readCopies(data)));
const pairs = readablePairs(await annealed.table("pairs", QaPair), tokenizer);
const trainOf = (dataset: string) => pairs.filter((p) => p.dataset === dataset && p.split === "train");
const enrich = trainOf("medpix2"), base = withoutShared(trainOf("roco_v2"), enrich, pictures);
const medPix = new Set(enrich.map(({ id }) => id));
const projector = await readSafetensors(stage1.file("projector.safetensors"));
const asked = await evaluationRecords(records, config);
const evaluation = { ...config.evaluation, closedItems: MOST_ITEMS };
const items = gridItems(pairs, asked, { ...config, evaluation });

/** The order in which an arm's pairs are trained; none for one data set alone. */
function orderOf(own: Config) {
  const batchSize = own.stage2.batchSize * own.stage2.accumulation, { steps } = own.stage2;
  return scheduleRows(mix({ base, enrich, schedule: scheduleOf(own), seed: own.seed, steps, batchSize }));
}

async function trainArm(arm: Arm): Promise<ArmResult> {
  const began = performance.now(), own = { ...config, annealing: arm.annealing ?? config.annealing };
  const order = arm.annealing ? orderOf(own) : [];
  const cell = cellData(arm.cell.dataset, pairs, order, own, tokenizer, model.config);
  const drawn = cell.batches.flat(), ofMedPix = drawn.filter(({ id }) => medPix.has(id)).length;
  const { adapter, curve } = await trainCell(model, arm.cell, cell, projector, own, { store, keep: true });
  const right: Partial<ArmResult["right"]> = {};
  for (const set of ARM_TESTS) {
    const { short } = items[set], byId = new Map(short.map((item) => [item.id, item]));
    const answers = await askModel({ ...model, adapter }, tokenizer, store, short, own, { runs: 1 });
    right[set] = answers.map(({ id, answer }) =>
      exact({ ...byId.get(id)!, prediction: answer }) === 1 ? 1 : 0
    );
  }
  dispose([adapter.params, adapter.projector]);
  const losses = curve.flatMap(({ validationLoss }) => validationLoss === null ? [] : [validationLoss]);
  return {
    name: arm.name,
    share: ofMedPix / drawn.length,
    uses: ofMedPix / medPix.size,
    leastLoss: Math.min(...losses),
    lastLoss: losses[losses.length - 1],
    right: right as ArmResult["right"],
    seconds: (performance.now() - began) / 1000,
  };
}

const arms: ArmResult[] = [];
for (const arm of annealingArms(config)) {
  const found = await trainArm(arm);
  arms.push(found);
  const shares = ARM_TESTS.map((set) =>
    `${set} ${found.right[set].filter(Boolean).length} of ${found.right[set].length}`
  );
  console.error(
    `  seed ${config.seed}  ${arm.name}: ${shares.join(", ")}, loss ${found.lastLoss.toFixed(3)}, ${
      found.seconds.toFixed(0)
    } s`,
  );
}
console.log(JSON.stringify({ seed: config.seed, arms } satisfies AnnealingTrial));
