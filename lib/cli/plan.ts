import { join } from "@std/path";
import { z } from "zod";
import { currentManifest } from "../artifacts/mod.ts";
import { type Config, selectedCells } from "../config/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import {
  downloadLines,
  gpuLines,
  licenceLines,
  nextSteps,
  type PlanLine,
  renderLines,
  roomLines,
  timeLines,
  workLines,
} from "./support/plan.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";
import { lookAround } from "./support/surroundings.ts";

export const usage = `usage: ./lab plan [--scale tiny|full] [--limit N] [--set KEY=VALUE] [--gpu-hour PRICE]

Says before anything starts what a run needs and what is missing: licences, downloads, disk, memory, GPU, the work that the
configuration asks for, and time (and with a price, money) where it was measured. Asks no server and changes nothing.
${scaleHelp}
${limitHelp}
${setHelp}
  --gpu-hour   what an hour of an H200 costs, in whatever currency`;

/** English rows of SLAKE's training split (counted in the published file). */
const SLAKE_TRAIN_ROWS = 4919;

const Summary = z.object({
  summary: z.array(z.object({ dataset: z.string(), split: z.string(), rows: z.number() })),
});

/** Training rows of SLAKE: as notebook 01 counted them here at this scale and limit, else as published; null for phantoms not drawn. */
async function rowsOfStage1(config: Config): Promise<number | null> {
  const own = await currentManifest("01_data", config.scale);
  if (own?.manifest.limit === config.limit) {
    const { summary } = Summary.parse(JSON.parse(await Deno.readTextFile(join(own.dir, "accounts.json"))));
    const row = summary.find(({ dataset, split }) => dataset === "slake" && split === "train");
    if (row) return row.rows;
  }
  return config.corpora.source === "real" ? SLAKE_TRAIN_ROWS : null;
}

function priceOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const price = Number(text);
  if (!(price >= 0 && price < Infinity)) {
    throw new UsageError(`--gpu-hour is "${text}"; expected a price such as 2.5.`);
  }
  return price;
}

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, { ...configOptions, values: [...configOptions.values, "gpu-hour"] });
  const { config } = readConfig(options), price = priceOf(options["gpu-hour"]);
  const around = await lookAround(config), cells = selectedCells(config).length;
  const show = (title: string, lines: PlanLine[]) => console.log(`${title}\n${renderLines(lines)}`);
  const { checkpoint } = config.model, limit = config.limit === null ? "no limit" : `limit ${config.limit}`;
  console.log(`${config.scale} scale, ${limit}, model ${checkpoint}, corpora: ${config.corpora.source}`);
  show("Licences", licenceLines(around));
  show("Downloads", downloadLines(around));
  show("Room", roomLines(config, around));
  const rows = await rowsOfStage1(config);
  show("Work", workLines(config, cells, rows, around.servers.teacher));
  show("Time", timeLines(around, config.scale));
  const gpu = gpuLines(config, cells, rows, price);
  if (gpu.length > 0) show(`GPU time${price === null ? "" : " and its price"}`, gpu);
  console.log("Next");
  for (const [i, step] of nextSteps(config, around).entries()) console.log(`  ${i + 1}. ${step}`);
}
