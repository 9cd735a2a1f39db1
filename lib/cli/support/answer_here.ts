/** What `./lab answer` does in the process that computes. */
import { join } from "@std/path";
import { openInput } from "../../artifacts/mod.ts";
import { computing, type Config, limited } from "../../config/mod.ts";
import { corporaFolder, corpusRecords, truthByImage } from "../../corpus/mod.ts";
import {
  askCell,
  CHANGED_ITEMS,
  consistency,
  rankOptions,
  ROTATED_ITEMS,
  withSystem,
} from "../../answers/mod.ts";
import { askableCells, evaluationRecords, gridItems } from "../../evaluation/mod.ts";
import type { OpenModel } from "../../model/mod.ts";
import {
  LESION_STUDY,
  lesionQuestions,
  paintedChanges,
  patchCurves,
  studyLesions,
} from "../../saliency/mod.ts";
import { QaPair } from "../../synthesis/mod.ts";
import { type Group, leaveGroup } from "../../tensor/mod.ts";
import { readablePairs } from "../../training/mod.ts";
import { loadAdapter, readSafetensors } from "../../weights/mod.ts";
import { joinedGroup, openAlike, tells } from "./joined_group.ts";
import { type LiveLine, liveLine } from "./live_line.ts";

/** What the work is given. */
interface Given extends OpenModel {
  signal: AbortSignal;
  group: Group | undefined;
}

/** Shows on a line how far something is. */
const shown = (line: LiveLine, what: string, group: Group | undefined) => (done: number, total: number) => {
  if (tells(group)) line.show(() => `${what}: ${done}${group ? " here" : ""} of ${total}`);
};

/** All that notebook 06 asks its systems. */
async function evaluation(config: Config, { model, tokenizer, store, signal, group }: Given) {
  using data = await openInput("01_data", config);
  using annealed = await openInput("03_annealing", config);
  using earlier = await openInput("04_stage1", config);
  using later = await openInput("05_stage2", config);
  const pairs = readablePairs(await annealed.table("pairs", QaPair), tokenizer);
  const items = gridItems(pairs, await evaluationRecords(await corpusRecords(data), config), config);
  const stage1 = await readSafetensors(earlier.file("projector.safetensors"), { signal });
  const adapters = join(later.dir, "adapters"), { cells } = askableCells(items, later.manifest.outputs);
  const base = { model, tokenizer, store };
  for (const cell of cells) {
    using line = liveLine();
    const onProgress = shown(line, `${cell.name}, answers`, group), { short } = items[cell.testSet];
    const asking = { keep: true, signal, group, onProgress };
    const answers = await askCell(cell, base, items, stage1, adapters, config, asking);
    await withSystem(cell, model, stage1, adapters, true, async (system) => {
      if (cell.testSet === "pmc_vqa") {
        const options = { rotated: ROTATED_ITEMS, signal, group };
        await rankOptions(system, tokenizer, store, short, config, options);
      }
      if (cell.testSet === "roco_v2" || cell.testSet === "slake") {
        const some = short.slice(0, CHANGED_ITEMS);
        await consistency(system, tokenizer, store, some, config, { signal, group });
      }
    });
    line.close();
    const { cell: _, ...kinds } = answers, count = Object.values(kinds).flat().length;
    if (tells(group)) console.log(`${cell.name}: ${count} answers`);
  }
  if (tells(group)) console.log("./lab run 06 takes them.");
}

/** All that notebook 07 measures of lesions that are known. */
async function saliency(config: Config, { model: base, tokenizer, store, signal, group }: Given) {
  using annealed = await openInput("03_annealing", config);
  using later = await openInput("05_stage2", config);
  const pairs = await annealed.table("pairs", QaPair),
    { cell, types, perType, curves, unrelated } = LESION_STUDY;
  const heldOut = pairs.filter((pair) => pair.dataset === "roco_v2" && pair.split === "test");
  const corpora = await corporaFolder(config, { signal });
  const truth = config.corpora.source === "phantom" ? await truthByImage(corpora) : new Map();
  const asked = lesionQuestions(heldOut, truth, corpora, types, limited(perType, config));
  if (asked.length === 0) {
    throw new Error("no lesion is known here: there is nothing to answer for notebook 07.");
  }
  const trained = Object.keys(later.manifest.outputs).flatMap((name) =>
    /^adapters\/([^/]+)\//.exec(name)?.[1] ?? []
  );
  const chosen = trained.includes(cell) ? cell : trained.at(0), folder = join(later.dir, "adapters");
  const model = chosen
    ? { ...base, adapter: await loadAdapter(join(folder, chosen), base.config, { signal }) }
    : base;
  using line = liveLine();
  const { seed, evaluation: { maxNewTokens, batchSize } } = config, kept = { keep: true, signal, group };
  const study = { unrelated, seed, maxNewTokens, onProgress: shown(line, "maps, question", group) };
  const studied = await studyLesions(model, tokenizer, store, asked, { ...kept, ...study });
  await paintedChanges(model, tokenizer, store, studied, types, config, kept);
  const drawn = { images: limited(curves, config), onProgress: shown(line, "curves, question", group) };
  await patchCurves(model, tokenizer, store, studied, { ...kept, ...drawn, batchSize, seed });
  line.close();
  if (!tells(group)) return;
  console.log(`${studied.length} questions with their maps and curves. ./lab run 07 takes them.`);
}

/** Whose runs are read for a notebook. */
const STAGES = {
  "06": ["01_data", "03_annealing", "04_stage1", "05_stage2"],
  "07": ["03_annealing", "05_stage2"],
} as const;

/** Computes what a notebook will find then; as a worker, with the others that the environment names. */
export async function answerHere(
  config: Config,
  notebook: "06" | "07",
  signal: AbortSignal,
): Promise<void> {
  // What is kept is said to be of rank 0's device.
  const own = { notebook, device: computing.device };
  const group = await joinedGroup(config, STAGES[notebook], own);
  const given = { ...await openAlike(config, group, signal), signal, group };
  await (notebook === "06" ? evaluation : saliency)(config, given);
  if (group) await leaveGroup(group);
}
