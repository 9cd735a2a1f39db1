import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { loadConfig, paths } from "../../lib/config/mod.ts";
import { limitCorpus, loadMedPix2, loadPmcVqa, loadRocoV2, loadSlake } from "../../lib/corpus/mod.ts";
import { REHEARSAL_COUNTS } from "../../lib/corpus/collection.ts";
import { answerPrompts, imageStore, openModel } from "../../lib/model/mod.ts";
import { writePhantomCorpora } from "../../lib/phantom/mod.ts";

Deno.test("a rehearsal's model has PaliGemma's image and tokens, random weights and a notice, and answers in bfloat16", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const checkpoint = join(dir, "random"), script = join(paths.root, "lib/cli/support/random_model.ts");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", script, checkpoint, join(paths.data, "nano")],
    }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    const config = loadConfig({
      SCALE: "full",
      LIMIT: "2",
      LAB_SET: `model.checkpoint=${checkpoint}\ncorpora.source=rehearsal`,
    });
    const { model, tokenizer, card } = await openModel(config);
    const { vision, imageTokens } = model.config;
    assertEquals([vision.imageSize, vision.patchSize, imageTokens, config.model.dtype], [
      448,
      14,
      1024,
      "bfloat16",
    ]);
    assertStringIncludes(card.notice!, "random weights");

    const none = { train: 0, validation: 0, test: 0 };
    const counts = { slake: { ...none, train: 1 }, pmc_vqa: none, roco_v2: none, medpix2: none };
    await writePhantomCorpora(join(dir, "drawn"), { counts });
    const { records: [record] } = await loadSlake(join(dir, "drawn/slake"));
    const prompt = { imagePath: record.imagePath, prefix: "answer en which organ?" };
    const options = { batchSize: 1, maxNewTokens: 2 };
    const [[answer]] = await answerPrompts(model, tokenizer, imageStore(448), [prompt], options);
    assertEquals(Number.isFinite(answer.logprob), true);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a rehearsal's data sets are read by the loaders of the real ones, and a limit finds rows in every split", async () => {
  const config = loadConfig({ SCALE: "full", LIMIT: "6", LAB_SET: "corpora.source=rehearsal" });
  const dir = await Deno.makeTempDir();
  try {
    const drawn = join(dir, "drawn");
    await writePhantomCorpora(drawn, { counts: REHEARSAL_COUNTS });
    const corpora = [
      await loadSlake(join(drawn, "slake")),
      await loadPmcVqa(join(drawn, "pmc_vqa"), { cleanTest: true }),
      await loadRocoV2(join(drawn, "roco_v2")),
      await loadMedPix2(join(drawn, "medpix2")),
    ].map((corpus) => limitCorpus(corpus, config));
    const rows = corpora.map(({ records }) =>
      ["train", "validation", "test"].map((split) => records.filter((r) => r.split === split).length)
    );
    assertEquals(rows, [[6, 6, 6], [6, 0, 6], [6, 6, 6], [6, 6, 6]]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
