import { exists } from "@std/fs";
import { basename, dirname, join, resolve } from "@std/path";
import { findRun, openInput, type StageInput } from "../artifacts/mod.ts";
import {
  type Config,
  diskError,
  type GridCell,
  gridOf,
  isOwn,
  makeFolder,
  paths,
  selectedCells,
  writeFileAtomic,
} from "../config/mod.ts";
import { mergeAdapter, openModel } from "../model/mod.ts";
import { QaPair } from "../synthesis/mod.ts";
import { loadAdapter, resolveModel, saveCheckpoint } from "../weights/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { type CardFacts, modelCard } from "./support/model_card.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";
import { shownPath } from "./support/shown_path.ts";
import { untilSignal } from "./support/until_signal.ts";

export const usage =
  `usage: ./lab export CELL --out FOLDER [--merged] [--scale tiny|full] [--limit N] [--set KEY=VALUE]

Writes a trained cell of notebook 05, such as roco_v2__with, or what notebook 09 has trained on your own data (own_mine__without)
into a new folder with a model card (data and their licences, settings, what was measured, notice): the PEFT adapter, or the whole
model with the adapter folded in, which transformers loads.
Prints the command that uploads the folder; nothing is uploaded.
  --out      a folder that is not there yet
  --merged   the whole model, in the type of its weights
${scaleHelp}
${limitHelp}
${setHelp}`;

/** Front matter's licence in the base model's own card; null where it says none. */
async function licenceOf(dir: string): Promise<string | null> {
  const path = join(dir, "README.md");
  if (!await exists(path)) return null;
  const [, front] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(await Deno.readTextFile(path)) ?? [];
  return /^license:[ \t]*["']?([\w.-]+)["']?[ \t]*$/m.exec(front ?? "")?.[1] ?? null;
}

const OWN_STAGE = "09_own_data";

const weightsOf = (cell: string) => `adapters/${cell}/adapter_model.safetensors`;

/** The cell of a name, and the stage that has trained it: 09 what is not in the grid, else 05. @throws when neither knows it */
async function trainedCell(name: string, config: Config): Promise<{ cell: GridCell; stage: string }> {
  const inGrid = gridOf(config).some((cell) => cell.name === name);
  const found = inGrid ? null : await findRun(OWN_STAGE, config), [dataset] = name.split("__");
  if (found && weightsOf(name) in found.manifest.outputs && isOwn(dataset)) {
    return { cell: { name, dataset, stage1: false }, stage: OWN_STAGE };
  }
  const [cell] = selectedCells({ ...config, stage2: { ...config.stage2, cells: [name] } });
  return { cell, stage: "05_stage2" };
}

/** What was measured of the cells of a run: by 09 itself, by 06 if its current run asked those of this run of 05. */
async function accuraciesOf(run: StageInput, config: Config): Promise<CardFacts["accuracies"]> {
  if (run.stage === OWN_STAGE) {
    return (await run.json<Pick<CardFacts, "accuracies">>("accuracies")).accuracies;
  }
  const found = await findRun("06_evaluation", config);
  if (found?.manifest.inputs["05_stage2"]?.manifestSha256 !== run.hash) return [];
  return JSON.parse(await Deno.readTextFile(join(found.dir, "table1.json"))).accuracies;
}

/** Writes the files of the model, card aside. */
async function writeModel(
  { cell, run, form }: CardFacts,
  config: Config,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const adapter = dirname(run.file(weightsOf(cell.name)));
  if (form === "adapter") {
    for (const name of ["adapter_config.json", "adapter_model.safetensors"]) {
      await Deno.copyFile(join(adapter, name), join(folder, name));
    }
    return;
  }
  const { model, dir } = await openModel(config, { signal });
  const merged = mergeAdapter(model.params, await loadAdapter(adapter, model.config, { signal }));
  signal.throwIfAborted();
  await saveCheckpoint(folder, merged, model.config, { from: dir });
}

export async function run(args: string[]): Promise<void> {
  const { options, rest: [name] } = readArgs(args, {
    values: [...configOptions.values, "out"],
    lists: configOptions.lists,
    switches: ["merged"],
    positional: [1, 1],
  });
  if (options.out === undefined) throw new UsageError("--out is missing; expected a folder.");
  const { config } = readConfig(options), out = resolve(options.out);
  if (await exists(out)) {
    throw new Error(`${out} is there already and stays; name another folder with --out.`);
  }
  const { cell, stage } = await trainedCell(name, config);
  using run = await openInput(stage, config);
  using source = await openInput(stage === OWN_STAGE ? stage : "03_annealing", config);
  const { checkpoint } = config.model, dir = await resolveModel(checkpoint);
  const facts: CardFacts = {
    cell,
    run,
    pairs: await source.table("pairs", QaPair),
    form: options.merged ? "merged" : "adapter",
    base: { onHub: dir.startsWith(join(paths.local, "models")), licence: await licenceOf(dir) },
    accuracies: await accuraciesOf(run, config),
  };
  const card = await modelCard(facts);
  await untilSignal("stopped; nothing was exported.", async (signal) => {
    await makeFolder(dirname(out));
    const partial = await Deno.makeTempDir({ dir: dirname(out), prefix: `.${basename(out)}-` });
    try {
      await writeModel(facts, config, partial, signal);
      await writeFileAtomic(join(partial, "README.md"), card);
      await Deno.chmod(partial, 0o777 & ~Deno.umask()); // a temporary folder is its maker's alone
      await Deno.rename(partial, out);
    } catch (error) {
      await Deno.remove(partial, { recursive: true }).catch(() => {});
      throw diskError(error, out);
    }
  });
  console.log(
    `${
      shownPath(out)
    }: read its README.md, above all the licences; this would publish it:\n  hf upload YOUR_NAME/${cell.name} ${
      JSON.stringify(out)
    }`,
  );
}
