import { join } from "@std/path";
import { z } from "zod";
import type { StageInput } from "../../artifacts/mod.ts";
import { Config, type GridCell, isOwn, paths } from "../../config/mod.ts";
import { readManifest } from "../../download/mod.ts";
import { type CellAccuracy, CurveRow, type ShownRow, tableMarkdown, validated } from "../../report/mod.ts";
import { code, fence, type Markdown, md } from "../../jupyter/mod.ts";
import { percent } from "../../stats/mod.ts";
import type { QaPair } from "../../synthesis/mod.ts";
import { pairsOfDataset } from "../../training/mod.ts";

/** What a card says of a cell; all of it as it was recorded. */
export interface CardFacts {
  cell: GridCell;
  /** The run of notebook 05 or 09 that trained it. */
  run: StageInput;
  /** All pairs that this run read. */
  pairs: readonly QaPair[];
  /** The adapter as it is, or folded into the model's weights. */
  form: "adapter" | "merged";
  base: {
    /** Whether the hub knows the base model by its name. */
    onHub: boolean;
    /** As the base model's own card says; null where it does not. */
    licence: string | null;
  };
  /** What was measured of the run's cells on short questions; none where they were not asked. */
  accuracies: readonly Pick<CellAccuracy, "adapter" | "testSet" | "items" | "byImage">[];
}

/** What a card reads of the configuration of a run, which may have been made before other keys were. */
const Recorded = z.object(
  Config.pick({ scale: true, seed: true, model: true, corpora: true, stage2: true }).shape,
);
type Recorded = z.infer<typeof Recorded>;

/** Each data set that the cell was trained on, with its licence. */
async function dataRows(
  { cell, pairs, run: { manifest: { notes } } }: CardFacts,
  { corpora: { source } }: Recorded,
): Promise<ShownRow[]> {
  const used = [
    ...(cell.stage1 ? pairs.filter((pair) => pair.dataset === "slake" && pair.split === "train") : []),
    ...pairsOfDataset(pairs, cell.dataset, "train"),
  ];
  return await Promise.all(
    [...Map.groupBy(used, ({ dataset }) => dataset)].map(async ([dataset, own]) => {
      const by = (origin: QaPair["origin"]) => own.filter((pair) => pair.origin === origin).length;
      const teachers = [...new Set(own.flatMap(({ model }) => model ?? []))].join(", ");
      const known = isOwn(dataset) ? null : await readManifest(join(paths.data, "datasets"), dataset);
      const phantoms = source !== "real" && known !== null;
      return {
        "data set": phantoms ? `phantoms in the layout of ${known.title}` : known?.title ?? dataset,
        stage: dataset === "slake" ? "1" : "2",
        "pairs at hand": own.length,
        "by the data set": by("source"),
        "by a language model": by("teacher") > 0 ? `${by("teacher")} (${teachers})` : 0,
        "from ground truth": by("template"),
        licence: phantoms
          ? "Apache-2.0"
          : known
          ? `${known.licence.name} (${known.licence.url})`
          : typeof notes.licence === "string"
          ? notes.licence
          : "of the user's own: say it here",
        "to cite": phantoms ? "" : known?.citation ?? "",
      };
    }),
  );
}

/** What was measured of the cell. */
async function metricRows({ cell, run, accuracies }: CardFacts): Promise<ShownRow[]> {
  const held = validated(await run.table("curves", CurveRow), cell.name);
  const gains = await run.json<{ cell: string; gain: number; low: number }[]>("image_gain");
  const gain = gains.find((one) => one.cell === cell.name);
  return [
    ...(held.length > 0
      ? [{
        measure: "loss on held-out pairs, nats per token",
        value: `${held[0].validationLoss.toFixed(3)} after step ${held[0].step}, ${
          held.at(-1)!.validationLoss.toFixed(3)
        } after step ${held.at(-1)!.step}`,
      }]
      : []),
    ...(gain
      ? [{
        measure: "what another image costs, nats per token",
        value: `${gain.gain.toFixed(3)} (95 % interval from ${gain.low.toFixed(3)})`,
      }]
      : []),
    ...accuracies.filter(({ adapter }) => adapter === cell.name).map(({ testSet, items, byImage }) => ({
      measure: `${items} short questions of ${testSet}, exact match`,
      value: `${percent(byImage.estimate)} % (95 % interval ${percent(byImage.low)} % to ${
        percent(byImage.high)
      } %)`,
    })),
  ];
}

/** Front matter as the hub reads it; each value is JSON, which is YAML too. */
const frontMatter = (values: Record<string, unknown>): string =>
  ["---", ...Object.entries(values).map(([key, value]) => `${key}: ${JSON.stringify(value)}`), "---"].join(
    "\n",
  );

/** The names that a base model goes by: on the hub its own; a folder's last part, since its place is this machine's. */
const baseName = (config: Recorded, { onHub }: CardFacts["base"]): string =>
  onHub ? config.model.checkpoint : config.model.checkpoint.split("/").at(-1)!;

const usageOf = (form: CardFacts["form"], base: string): string =>
  form === "adapter"
    ? `from peft import PeftModel
from transformers import PaliGemmaForConditionalGeneration

model = PaliGemmaForConditionalGeneration.from_pretrained("${base}")
model = PeftModel.from_pretrained(model, "FOLDER")`
    : `from transformers import AutoProcessor, PaliGemmaForConditionalGeneration

model = PaliGemmaForConditionalGeneration.from_pretrained("FOLDER")
processor = AutoProcessor.from_pretrained("FOLDER")`;

/** A model card (README.md) of a cell of stage 2: notice, use, data with licences, settings, what was measured, origin. */
export async function modelCard(facts: CardFacts): Promise<string> {
  const { cell, run: { manifest }, form, base } = facts;
  const config = Recorded.parse(manifest.config), name = baseName(config, base);
  const notice = typeof manifest.notes.notice === "string" ? manifest.notes.notice : null;
  const { stage2, model, seed } = config, metrics = await metricRows(facts);
  const settings = {
    "base model": name,
    "stage 1 before": cell.stage1,
    ...Object.fromEntries(Object.entries(stage2).filter(([key]) => key !== "cells")),
    ...(typeof manifest.notes.steps === "number" ? { steps: manifest.notes.steps } : {}), // 09 counts epochs
    precision: model.dtype,
    seed,
  };
  const origin = {
    run: manifest.run,
    "configuration's SHA-256": manifest.configHash,
    ...manifest.versions,
    device: manifest.device,
    started: manifest.started.slice(0, 10),
    ...(manifest.limit === null ? {} : { "limited to rows and steps": manifest.limit }),
  };
  const asRows = (values: ShownRow) =>
    tableMarkdown(Object.entries(values).map(([key, value]) => ({ key, value: String(value) })));
  const text = (part: Markdown) => part.text;
  return [
    frontMatter({
      library_name: form === "adapter" ? "peft" : "transformers",
      pipeline_tag: "image-text-to-text",
      ...(base.onHub ? { base_model: name } : {}),
      ...(base.licence === null ? {} : { license: base.licence }),
      tags: ["radiology", "visual-question-answering", "lora", "paligemma"],
      ...(notice === null ? {} : { demonstration: config.scale === "tiny", notice }),
    }),
    text(md`# ${cell.name}`),
    text(
      md`A ${
        form === "adapter" ? "LoRA adapter" : "model with a LoRA adapter folded in"
      } for radiology visual question answering, trained by RadVQA Lab. **Not for clinical use.**`,
    ),
    ...(notice === null ? [] : [text(md`**Note:** ${notice}.`)]),
    text(md`Prompt: ${code("answer en QUESTION")}, as PaliGemma's.`),
    text(fence(usageOf(form, name))),
    "## Data",
    tableMarkdown(await dataRows(facts, config)),
    text(md`Some of these pairs are held out for validation, and a mixture draws from them by its schedule.`),
    text(
      md`What is derived from these data sets comes under their licences and those of the base model${
        base.licence === null ? "" : ` (${base.licence})`
      }.`,
    ),
    "## Settings",
    asRows(settings),
    ...(metrics.length > 0 ? ["## Measured", tableMarkdown(metrics)] : []),
    "## Origin",
    asRows(origin),
  ].map((part) => part.trim()).join("\n\n") + "\n";
}
