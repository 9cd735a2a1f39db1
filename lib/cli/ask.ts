import { exists } from "@std/fs";
import { basename, dirname, extname, relative, resolve } from "@std/path";
import { writeFileAtomic } from "../config/mod.ts";
import { renderSvg, saliencyFigure, svgToPng } from "../figures/mod.ts";
import { type DecodedImage, decodeImage, doubtsAbout, resizeBicubic } from "../image/mod.ts";
import { oneLine } from "../jupyter/mod.ts";
import { openModel } from "../model/mod.ts";
import { answerMaps, type CapturedAnswer } from "../saliency/mod.ts";
import { questionPrefix } from "../text/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { adapterHelp, servedAnswer, servedModels } from "./support/served_models.ts";
import { readConfig } from "./support/settings.ts";

export const usage =
  `usage: ./lab ask IMAGE QUESTION [QUESTION ...] [--adapter CELL|FOLDER ...] [--scale tiny|full] [--model MODEL] [--set KEY=VALUE]
                 [--out FILE] [--replace]

Answers questions about one image (DICOM, PNG, JPEG, ...): the base model and adapters, each beside what it says about a grey picture.
Writes for each question a picture of where the last model's answer looked.
${adapterHelp}
  --scale    tiny: the nano demonstration model (default); full: google/paligemma-3b-mix-448 from the hub
  --model    another PaliGemma: a folder, or owner/name on the hub
  --set      KEY=VALUE, any key of lib/config/config.ts, such as evaluation.maxNewTokens=8; may be repeated
  --out      the saliency picture (default: IMAGE's name with -saliency.png, in this folder; -saliency-2.png next time)
  --replace  write over a picture that is there already`;

/** Longer side of the picture's image in pixels, and the shorter one at least: strips are shown wider than they are. */
const SIDE = 448, SHORTER = 56;

/** The picture's file for each question: NAME.png, NAME-2.png, ... */
async function outputsOf(
  path: string,
  questions: number,
  named: string | undefined,
  replace: boolean,
): Promise<string[]> {
  if (named === undefined) {
    const name = `${basename(path, extname(path))}-saliency`, files: string[] = [];
    for (let i = 1; files.length < questions; i++) {
      const file = resolve(`${name}${i === 1 ? "" : `-${i}`}.png`);
      if (!await exists(file)) files.push(file);
    }
    return files;
  }
  const ending = extname(named), stem = named.slice(0, named.length - ending.length);
  const files = Array.from(
    { length: questions },
    (_, i) => resolve(i === 0 ? named : `${stem}-${i + 1}${ending}`),
  );
  const folder = await Deno.stat(dirname(files[0])).catch(() => null);
  if (!folder?.isDirectory) {
    throw new UsageError(`--out is "${named}"; there is no folder ${dirname(files[0])}.`);
  }
  for (const file of files) {
    const there = await Deno.stat(file).catch(() => null);
    if (there?.isDirectory) throw new UsageError(`--out is "${file}", which is a folder; expected a file.`);
    if (there && !replace) {
      throw new Error(`${file} is there already and stays; name another file with --out, or add --replace.`);
    }
  }
  return files;
}

export async function run(args: string[]): Promise<void> {
  const { options, rest: [path, ...questions] } = readArgs(args, {
    values: ["scale", "model", "out"],
    lists: ["set", "adapter"],
    switches: ["replace"],
    positional: [2, 21],
  });
  const model = options.model === undefined ? [] : [`model.checkpoint=${JSON.stringify(options.model)}`];
  const { config } = readConfig({ scale: options.scale, set: [...options.set, ...model] });
  const prefixes = questions.map((question) => questionPrefix({ question }));
  const outputs = await outputsOf(path, questions.length, options.out, options.replace);
  const image = await decodeImage(path).catch((error) => { // before the model, which may take long to load
    throw error instanceof Deno.errors.NotFound ? new Error(`there is no file ${path}.`) : error;
  });
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const opened = await openModel(config), { tokenizer, store, card } = opened;
  const models = await servedModels(options.adapter, options.model === undefined, config, opened);
  console.error(`model ${config.model.checkpoint} loaded: ${seconds()}`);
  // At full scale on a CPU a token takes seconds.
  const onText = config.scale === "full"
    ? (text: string) => console.error(`${seconds()}: ${oneLine(text)} ...`)
    : undefined;
  for (const [i, question] of questions.entries()) {
    if (questions.length > 1) console.log(`${i > 0 ? "\n" : ""}${oneLine(question)}`);
    const prompt = { imagePath: path, prefix: prefixes[i] };
    let last: CapturedAnswer | undefined;
    for (const served of models) {
      const { said, probability, withoutImage } = await servedAnswer(
        served,
        tokenizer,
        store,
        prompt,
        config,
        { onText },
      );
      const alone = withoutImage === said.text
        ? "the same, so nothing shows that it rests on the image"
        : oneLine(withoutImage);
      console.log(`${oneLine(served.name)}: ${oneLine(said.text)}`);
      console.log(
        `  probability under the model: ${probability.toPrecision(2)}; about a grey picture: ${alone}`,
      );
      last = said;
    }
    const notice = card.notice, provenance = [config.model.checkpoint, models.at(-1)!.name].join(" · ");
    await writeFileAtomic(outputs[i], await answerPicture(image, question, last!, { notice, provenance }));
    console.log(`saliency: ${relative(Deno.cwd(), outputs[i])}`);
  }
  console.error(`answered: ${seconds()}`);
  for (const note of image.notes ?? []) console.log(`About the image: ${note}.`);
  for (const doubt of doubtsAbout(image)) console.log(`Doubtful image: ${doubt}.`);
  if (card.notice) console.log(`Note: ${oneLine(card.notice)}.`);
}

/** Image, raw attention and rollout of an answer, side by side, as PNG. */
async function answerPicture(
  image: DecodedImage,
  question: string,
  said: CapturedAnswer,
  about: { notice: string | null; provenance: string },
): Promise<Uint8Array> {
  const { rows, columns } = said.layout, maps = answerMaps(said);
  const shrink = SIDE / Math.max(image.width, image.height);
  const shownSide = (side: number) => Math.max(SHORTER, Math.round(side * shrink));
  const shown = resizeBicubic(image, shownSide(image.width), shownSide(image.height));
  const figure = await saliencyFigure(shown, [
    { title: "image", map: null, rows, columns },
    { title: "raw attention", map: maps["raw attention"], rows, columns },
    { title: "rollout", map: maps.rollout, rows, columns },
  ], {
    title: `${question} ${said.text}`,
    subtitle:
      "Where the answer's tokens look in the image, mean over layers and heads, without bos and newline",
    ...about,
  });
  return await svgToPng(await renderSvg(figure));
}
