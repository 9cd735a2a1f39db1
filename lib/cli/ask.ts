import { exists } from "@std/fs";
import { basename, dirname, extname, relative, resolve } from "@std/path";
import { writeFileAtomic } from "../config/mod.ts";
import { renderSvg, saliencyFigure, svgToPng } from "../figures/mod.ts";
import { decodeImage, doubtsAbout, resizeBicubic } from "../image/mod.ts";
import { oneLine } from "../jupyter/mod.ts";
import { openModel } from "../model/mod.ts";
import { captureAnswer, meanOverAnswer, rawAttention, rollout, withoutSinks } from "../saliency/mod.ts";
import { questionPrefix } from "../text/mod.ts";
import { loadAdapter } from "../weights/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { readConfig } from "./support/settings.ts";

export const usage =
  `usage: ./lab ask IMAGE QUESTION [--scale tiny|full] [--model MODEL] [--adapter FOLDER] [--set KEY=VALUE] [--out FILE]
                 [--replace]

Answers one question about one image (DICOM, PNG, JPEG, ...) and writes a picture of where the answer looked.
  --scale    tiny: the nano demonstration model (default); full: google/paligemma-3b-mix-448 from the hub
  --model    another PaliGemma: a folder, or owner/name on the hub
  --adapter  a PEFT adapter, such as one of notebook 05
  --set      KEY=VALUE, any key of lib/config/config.ts, such as evaluation.maxNewTokens=8; may be repeated
  --out      the saliency picture (default: IMAGE's name with -saliency.png, in this folder; -saliency-2.png next time)
  --replace  write over a picture that is there already`;

/** Longer side of the picture's image in pixels, and the shorter one at least: strips are shown wider than they are. */
const SIDE = 448, SHORTER = 56;

/** NAME.png in this folder, or where that is there already NAME-2.png, NAME-3.png ... */
async function freeName(name: string): Promise<string> {
  for (let i = 1;; i++) {
    const file = `${name}${i === 1 ? "" : `-${i}`}.png`;
    if (!await exists(file)) return file;
  }
}

export async function run(args: string[]): Promise<void> {
  const { options, rest: [path, question] } = readArgs(args, {
    values: ["scale", "model", "adapter", "out"],
    lists: ["set"],
    switches: ["replace"],
    positional: [2, 2],
  });
  const model = options.model === undefined ? [] : [`model.checkpoint=${JSON.stringify(options.model)}`];
  const { config } = readConfig({ scale: options.scale, set: [...options.set, ...model] });
  const prefix = questionPrefix({ question });
  const out = resolve(options.out ?? await freeName(`${basename(path, extname(path))}-saliency`));
  const folder = await Deno.stat(dirname(out)).catch(() => null);
  if (!folder?.isDirectory) {
    throw new UsageError(`--out is "${options.out}"; there is no folder ${dirname(out)}.`);
  }
  const there = await Deno.stat(out).catch(() => null);
  if (there?.isDirectory) throw new UsageError(`--out is "${out}", which is a folder; expected a file.`);
  if (there && !options.replace) {
    throw new Error(`${out} is there already and stays; name another file with --out, or add --replace.`);
  }
  const image = await decodeImage(path).catch((error) => { // before the model, which may take long to load
    throw error instanceof Deno.errors.NotFound ? new Error(`there is no file ${path}.`) : error;
  });
  const { maxNewTokens } = config.evaluation;
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const opened = await openModel(config), { tokenizer, store, card } = opened;
  const adapter = options.adapter ? await loadAdapter(options.adapter, opened.model.config) : undefined;
  console.error(`model ${config.model.checkpoint} loaded: ${seconds()}`);
  // At full scale on a CPU a token takes seconds.
  const onToken = (tokens: number) => {
    if (config.scale === "full") console.error(`token ${tokens} of at most ${maxNewTokens}: ${seconds()}`);
  };
  const answer = await captureAnswer(
    { ...opened.model, adapter },
    tokenizer,
    store,
    { imagePath: path, prefix },
    { maxNewTokens, onToken },
  );
  const probability = Math.exp(answer.logprobs.reduce((sum, x) => sum + x, 0));
  console.error(`answered: ${seconds()}`);
  console.log(oneLine(answer.text));
  console.log(`probability of this answer under the model: ${probability.toPrecision(2)}`);
  for (const note of image.notes ?? []) console.log(`About the image: ${note}.`);
  for (const doubt of doubtsAbout(image)) console.log(`Doubtful image: ${doubt}.`);
  if (card.notice) console.log(`Note: ${oneLine(card.notice)}.`);

  const { layout, attentions } = answer;
  const mean = (matrix: Float32Array) => meanOverAnswer(matrix, layout);
  const grid = { rows: layout.rows, columns: layout.columns };
  const shrink = SIDE / Math.max(image.width, image.height);
  const shownSide = (side: number) => Math.max(SHORTER, Math.round(side * shrink));
  const shown = resizeBicubic(image, shownSide(image.width), shownSide(image.height));
  const figure = await saliencyFigure(shown, [
    { title: "image", map: null, ...grid },
    { title: "raw attention", map: mean(withoutSinks(rawAttention(attentions), layout)), ...grid },
    { title: "rollout", map: mean(rollout(attentions, { dropped: layout.sinks })), ...grid },
  ], {
    title: `${question} ${answer.text}`,
    subtitle:
      "Where the answer's tokens look in the image, mean over layers and heads, without bos and newline",
    notice: card.notice,
    provenance: [config.model.checkpoint, options.adapter].filter(Boolean).join(" · "),
  });
  await writeFileAtomic(out, await svgToPng(await renderSvg(figure)));
  console.log(`saliency: ${relative(Deno.cwd(), out)}`);
}
