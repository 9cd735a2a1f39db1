/** Lesions painted over. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadConfig, rng } from "@lib/config/mod.ts";
import { answerPrompts, openModel } from "@lib/model/mod.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import { paintedChanges, type StudiedQuestion } from "@lib/saliency/mod.ts";
import { mirrored, paintOver } from "@lib/saliency/painted.ts";
import { mean } from "@lib/stats/mod.ts";
import { questionPrefix } from "@lib/text/mod.ts";
import { phantomStore } from "@lib/nano/mod.ts";

Deno.test("a region gets the colour around it, and nothing else changes", () => {
  const side = 12, data = new Uint8Array(side * side * 3).fill(90), region = new Uint8Array(side * side);
  region[5 * side + 6] = 1;
  data.set([250, 0, 0], 3 * (5 * side + 6));
  assertEquals(paintOver(data, region, side), new Uint8Array(data.length).fill(90));
  assertEquals(data[3 * (5 * side + 6)], 250, "the image itself is left as it is");
});

Deno.test("the colour is the mean of what lies up to four pixels beside the region, also at the border", () => {
  const side = 14, random = rng("ring"), level = () => Math.floor(256 * random());
  const data = Uint8Array.from({ length: side * side * 3 }, level);
  for (const [top, left] of [[0, 0], [5, 1], [12, 12], [6, 6], [0, 9]]) {
    const inside = (row: number, column: number) =>
      row >= top && row < top + 2 && column >= left && column < left + 2;
    const places = [...Array(side * side).keys()].map((i) => [Math.floor(i / side), i % side]);
    const region = Uint8Array.from(places, ([row, column]) => Number(inside(row, column)));
    const gap = (at: number, from: number) => Math.max(from - at, at - from - 1);
    const around = places.filter(([row, column]) =>
      !inside(row, column) && gap(row, top) <= 4 && gap(column, left) <= 4
    );
    const colour = [0, 1, 2].map((c) =>
      Math.round(mean(around.map(([row, column]) => data[3 * (row * side + column) + c])))
    );
    const expected = data.slice();
    places.forEach(([row, column], i) => inside(row, column) && expected.set(colour, 3 * i));
    assertEquals(paintOver(data, region, side), expected, `${top}, ${left}`);
  }
});

Deno.test("the mirror image of a region leaves the region out", () => {
  assertEquals([...mirrored(Uint8Array.from([1, 1, 0, 0, 0, 1, 1, 1]), 4)], [0, 0, 1, 1, 1, 0, 0, 0]);
});

Deno.test("answers that rest on the lesion change when it is painted over, more of them than when its mirror image is", async () => {
  const config = loadConfig({ LAB_SET: "model.compiler=graph" }), store = phantomStore();
  const { model, tokenizer } = await openModel(config);
  const drawn = Array.from(
    { length: 60 },
    (_, i) => drawPhantom(4_900_000 + i, "generic"),
  );
  const asked = drawn.filter(({ mask }) => mask?.some((x) => x > 0)).slice(0, 16).map(({ seed, mask }) => ({
    ...{ id: `${seed}`, imageId: `${seed}`, imagePath: `generic/${seed}`, question: "is there a lesion?" },
    ...{
      choices: null,
      questionType: "presence",
      mask: mask!,
      maskRows: store.size,
      maskColumns: store.size,
    },
  }));
  const prompts = asked.map((one) => ({ imagePath: one.imagePath, prefix: questionPrefix(one) }));
  const { maxNewTokens, batchSize } = config.evaluation;
  const answers = await answerPrompts(model, tokenizer, store, prompts, { maxNewTokens, batchSize });
  const studied = asked.map((one, i) => ({
    ...one,
    said: answers[i][0].text,
  })) as unknown as StudiedQuestion[];
  const change = (list: StudiedQuestion[]) =>
    paintedChanges(model, tokenizer, store, list, ["presence"], config);
  const [presence, all] = await change(studied);
  assertEquals([presence.questions, all.questions], [16, 16]);
  assert(presence.lesion.estimate > presence.elsewhere.estimate + 0.2, JSON.stringify(presence));
  await assertRejects(() => change([{ ...studied[0], maskRows: 7 }]), RangeError, "found 7 x");
  assertEquals(await change([]), []);
});
