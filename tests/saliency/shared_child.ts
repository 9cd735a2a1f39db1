/**
 * One worker of shared_test.ts: asks the nano model, with a random adapter, about a few phantoms all that notebooks 06 and 07
 * ask theirs, keeping it. Prints a JSON line whenever a batch or an image is done, and at the end one of all results.
 * Usage: shared_child.ts FOLDER, which holds a mask for each phantom, named by its seed
 */
import { join } from "@std/path";
import { loadConfig, workerPlace } from "@lib/config/mod.ts";
import { askModel } from "@lib/answers/ask_model.ts";
import { consistency, rankOptions } from "@lib/answers/mod.ts";
import { initAdapter, openModel, weightsName } from "@lib/model/mod.ts";
import { phantomStore } from "@lib/nano/mod.ts";
import { paintedChanges, patchCurves, studyLesions } from "@lib/saliency/mod.ts";
import { joinGroup, leaveGroup } from "@lib/tensor/mod.ts";

const [folder] = Deno.args, place = workerPlace(), preset = loadConfig({});
const config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" as const },
  evaluation: { ...preset.evaluation, batchSize: 3, runs: 2, maxNewTokens: 4 },
};
const say = (value: unknown) => console.log(JSON.stringify(value));
try {
  const group = place ? await joinGroup(place, 60_000) : undefined;
  const { model: base, tokenizer } = await openModel(config), store = phantomStore();
  const adapter = initAdapter(base.config, { r: 4, alpha: 8, towers: "both", seed: 1 });
  const model = { ...base, adapter }, weights = weightsName(model);
  const seeds = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) =>
    /^(\d+)\.png$/.exec(name)?.[1]
  )
    .filter((seed) => seed !== undefined).sort();
  const choices = ["right", "left", "the middle of the abdomen"], answer = "right";
  const questions = ["which side is it?", "what is shown in this image?"].flatMap((question, i) =>
    seeds.map((seed) => ({
      ...{
        id: `${seed}#${i}`,
        imageId: seed,
        imagePath: `generic/${seed}`,
        maskPath: join(folder, `${seed}.png`),
      },
      ...{ question, answer, choices: i === 0 ? choices : null, answerType: null, questionType: `${i}` },
    }))
  );
  const onProgress = (done: number, total: number) => say({ done, total });
  const both = { group, onProgress }, found: unknown[] = [];
  found.push(await askModel(model, tokenizer, store, questions, config, { runs: 2, weights, ...both }));
  found.push(
    await rankOptions({ model, weights }, tokenizer, store, questions, config, { rotated: 5, group }),
  );
  found.push(
    await consistency({ model, weights }, tokenizer, store, questions.slice(0, 7), config, { group }),
  );
  const { seed, evaluation: { maxNewTokens, batchSize } } = config, kept = { keep: true, ...both };
  const study = { unrelated: "what modality is this image?", seed, maxNewTokens, ...kept };
  const studied = await studyLesions(model, tokenizer, store, questions, study);
  found.push(
    studied.map(({ maps, ...one }) => [one, Object.entries(maps).map(([name, map]) => [name, [...map]])]),
  );
  found.push(await paintedChanges(model, tokenizer, store, studied, ["0"], config, { keep: true, group }));
  found.push(
    await patchCurves(model, tokenizer, store, studied, { images: 3, steps: 3, batchSize, seed, ...kept }),
  );
  say({ found });
  if (group) await leaveGroup(group);
} catch (error) {
  say({ error: (error as Error).message });
  Deno.exit(1);
}
Deno.exit(0);
