import { exists } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import { findRun, openInput } from "../../artifacts/mod.ts";
import type { Config } from "../../config/mod.ts";
import { answerPrompts, type ImageStore, type Model, type OpenModel } from "../../model/mod.ts";
import { captureAnswer, type CapturedAnswer, type CaptureOptions } from "../../saliency/mod.ts";
import type { Tokenizer } from "../../text/mod.ts";
import { loadAdapter } from "../../weights/mod.ts";
import { UsageError } from "../command.ts";

/** A model that answers, by the name that people give it. */
export interface ServedModel {
  name: string;
  model: Model;
}

export const adapterHelp =
  `  --adapter  a cell of notebook 05, or a folder with a PEFT adapter; may be repeated. If not said otherwise, roco_medpix__with where
             notebook 05 has trained it`;

/** What the paper's tables end with. */
const DEFAULT_CELL = "roco_medpix__with";

const weightsOf = (cell: string) => `adapters/${cell}/adapter_model.safetensors`;

/** Folder of an adapter: itself, or that of a cell of the run of notebook 05. */
async function adapterFolder(name: string, config: Config): Promise<string> {
  if (await exists(join(name, "adapter_config.json"))) return name;
  using run = await openInput("05_stage2", config);
  if (!(weightsOf(name) in run.manifest.outputs)) {
    throw new Error(
      `"${name}" is neither a folder with adapter_config.json nor a cell that notebook 05 has trained.`,
    );
  }
  return dirname(run.file(weightsOf(name)));
}

/**
 * The base model and its adapters.
 *
 * @param named adapters as they were asked for; none: with the configuration's own base model the last cell of the paper's
 * tables, if it was trained
 * @throws when there is no such adapter, it does not fit the model, or two would have one name
 */
export async function servedModels(
  named: readonly string[],
  ownBase: boolean,
  config: Config,
  { model }: Pick<OpenModel, "model">,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ServedModel[]> {
  const trained = named.length === 0 && ownBase ? await findRun("05_stage2", config) : null;
  const names = trained && weightsOf(DEFAULT_CELL) in trained.manifest.outputs ? [DEFAULT_CELL] : named;
  const models: ServedModel[] = [{ name: "base", model }];
  for (const name of names) {
    const short = basename(name);
    if (models.some((other) => other.name === short)) {
      throw new UsageError(`--adapter: two models would be called "${short}".`);
    }
    const adapter = await loadAdapter(await adapterFolder(name, config), model.config, { signal });
    models.push({ name: short, model: { ...model, adapter } });
  }
  return models;
}

/** A greedy answer with all that maps are made of. */
export interface ServedAnswer {
  model: string;
  said: CapturedAnswer;
  /** Of the answer under the model. */
  probability: number;
  /** The answer to the same question about a grey picture: where it is equal, nothing shows that the first rests on the image. */
  withoutImage: string;
}

/** One model's answer to a question about an image, and about a grey picture. */
export async function servedAnswer(
  { name, model }: ServedModel,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompt: { imagePath: string; prefix: string },
  config: Config,
  { onText }: Pick<CaptureOptions, "onText"> = {},
): Promise<ServedAnswer> {
  const { maxNewTokens } = config.evaluation;
  const said = await captureAnswer(model, tokenizer, store, prompt, { maxNewTokens, onText });
  const blank = { maxNewTokens, batchSize: 1, blankImages: true };
  const [[grey]] = await answerPrompts(model, tokenizer, store, [prompt], blank);
  const probability = Math.exp(said.logprobs.reduce((sum, x) => sum + x, 0));
  return { model: name, said, probability, withoutImage: grey.text };
}
