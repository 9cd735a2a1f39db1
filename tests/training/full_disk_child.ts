/** Trains stage 1 on a disk that fills up after the second step, then again with room; kept_training_test.ts says what is to come. */
import { join } from "@std/path";
import { loadConfig, paths } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { phantomStore } from "@lib/nano/mod.ts";
import { trainProjector } from "@lib/training/mod.ts";
import { phantomExamples } from "./phantom_examples.ts";

const preset = loadConfig({});
const config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" as const },
  stage1: { ...preset.stage1, epochs: 6, batchSize: 4 },
};
const { model, tokenizer } = await openModel(config);
const train = phantomExamples(4, 300_000_000, "shifted", ["side"], tokenizer, model.config);
const filler = join(paths.results, "filler"), steps: number[] = [];

/** Leaves no room on the disk. */
function fill(): void {
  using file = Deno.openSync(filler, { write: true, create: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4096));
  } catch { /* full */ }
}

const run = (onStep: (step: number) => void) =>
  trainProjector(model, { train, validation: [] }, config, {
    store: phantomStore(),
    keep: true,
    checkpointSeconds: 0,
    onStep: ({ step }) => onStep(step),
  });
await run((step) => step === 2 && fill()).catch((error) => console.log(error.message));
const left = [...Deno.readDirSync(join(paths.results, "kept/unfinished"))].filter(({ name }) =>
  name.includes(".next")
);
console.log(`files .next: ${left.length}`);
Deno.removeSync(filler);
await run((step) => steps.push(step));
console.log(`steps ${steps.join(", ")}`);
