/**
 * Trains three small cells that are kept, one name a line when it is there, and prints at the end what they are: hashes of
 * adapter, curve (but for its times) and gain, and the steps that were trained. kept_cells_test.ts runs and kills it.
 * Usage: kept_child.ts SWEEP_RANK VALIDATION (examples of the last cell)
 */
import { loadConfig, sha256 } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { phantomStore } from "@lib/nano/mod.ts";
import { batchShape, type CellData, trainCell } from "@lib/training/mod.ts";
import { type Params, paramsSha256 } from "@lib/weights/mod.ts";
import { phantomExamples } from "./phantom_examples.ts";

const preset = loadConfig({}), [otherRank, validation] = Deno.args.map(Number);
const config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" as const },
  stage2: { ...preset.stage2, batchSize: 4 },
};
const { model, tokenizer } = await openModel(config), store = phantomStore();
const examples = phantomExamples(12, 300_000_000, "shifted", ["side"], tokenizer, model.config);
const projector = Object.fromEntries(
  Object.entries(model.params).filter(([name]) => name.startsWith("multi_modal_projector")),
) as Params;
const dataOf = (held: number): CellData => ({
  batches: [examples.slice(0, 4), examples.slice(4, 8), examples.slice(0, 4)],
  validation: examples.slice(8, 8 + held),
  stepsPerEpoch: 2,
  shape: batchShape(examples),
});

const cells: unknown[] = [];
let steps = 0;
for (
  const [name, stage1] of [["roco_v2__with", true], ["roco_v2__without", false], [
    "pmc_vqa__without",
    false,
  ]] as const
) {
  const dataset = name.startsWith("roco") ? "roco_v2" as const : "pmc_vqa" as const;
  const data = dataOf(dataset === "pmc_vqa" ? validation : 4);
  const trained = await trainCell(model, { name, dataset, stage1 }, data, projector, config, {
    store,
    keep: true,
    onStep: () => void steps++,
  });
  const curve = trained.curve.map(({ seconds: _, examplesPerSecond: __, ...point }) => point),
    { adapter, gain } = trained;
  cells.push([
    name,
    adapter.config,
    paramsSha256(adapter.params),
    paramsSha256(adapter.projector ?? {}),
    sha256(JSON.stringify([curve, gain])),
  ]);
  console.error(`done ${name}`);
}
// A cell once more with another rank.
await trainCell(
  model,
  { name: "roco_v2__with", dataset: "roco_v2", stage1: true },
  dataOf(4),
  projector,
  { ...config, stage2: { ...config.stage2, rank: otherRank } },
  { store, keep: true, onStep: () => void steps++ },
);
console.log(JSON.stringify({ cells, steps }));
