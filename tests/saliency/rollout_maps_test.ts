/** Maps of given answers: those of the answers when they are captured one by one, kept or not. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";

const results = await Deno.makeTempDir({ prefix: "maps-" });
Deno.env.set("LAB_RESULTS", results); // read when the rooms are loaded, so these come after it
const { loadConfig } = await import("@lib/config/mod.ts");
const { encodePng } = await import("@lib/image/mod.ts");
const { openModel, weightsName } = await import("@lib/model/mod.ts");
const { drawPhantom } = await import("@lib/phantom/mod.ts");
const { captureAnswer, rolloutMaps } = await import("@lib/saliency/mod.ts");
const { rolloutMap } = await import("../../lib/saliency/answer_maps.ts");
const { questionPrefix } = await import("@lib/text/mod.ts");
globalThis.addEventListener("unload", () => Deno.removeSync(results, { recursive: true }));

Deno.test("given answers have the maps of the same answers captured, kept and found again", async () => {
  const imagePath = join(results, "phantom.png"), { pixels } = drawPhantom(12, "generic");
  const data = Uint8Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)]);
  await Deno.writeFile(imagePath, await encodePng({ width: 112, height: 112, data }));
  const { model, tokenizer, store } = await openModel(loadConfig({})), weights = weightsName(model);
  const question = "what organ is shown?",
    asked = ["liver", "right lung", ""].map((answer) => (
      { imagePath, question, choices: null, answer }
    ));
  const maps = await rolloutMaps({ model }, tokenizer, store, asked);
  for (const [i, { answer }] of asked.entries()) {
    const prompt = { imagePath, prefix: questionPrefix({ question }) };
    const one = await captureAnswer(model, tokenizer, store, prompt, { answerIds: tokenizer.encode(answer) });
    assertEquals(maps[i], rolloutMap(one));
  }
  assert(maps[0].some((weight, p) => weight !== maps[1][p]), "another answer, another map");
  assertEquals(await rolloutMaps({ model, weights }, tokenizer, store, asked), maps);
  const stopped = { signal: AbortSignal.abort(new Error("Stop was pressed")) };
  assertEquals(
    await rolloutMaps({ model, weights }, tokenizer, store, asked, stopped),
    maps,
    "they are kept",
  );
  await assertRejects(
    () => rolloutMaps({ model }, tokenizer, store, asked, stopped),
    Error,
    "Stop was pressed",
  );
});
