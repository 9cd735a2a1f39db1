import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { mostAlike, plantCopies, searchMade, searchPlanted } from "../../lib/cli/support/bench_overlap.ts";
import { FURTHER, PLANTED } from "../../lib/cli/support/planted_copies.ts";
import { nearDuplicates, pictureGroups, SAME_PICTURE } from "../../lib/corpus/mod.ts";
import { THUMBNAIL } from "../../lib/image/mod.ts";
import { wilsonInterval } from "../../lib/stats/mod.ts";

const data = Deno.env.get("LAB_DATA") ?? "";
const folder = join(data, "vqa-rad-train", "VQA_RAD Image Folder");
const ignore = data === "";
const kinds = { ...PLANTED, mirrored: FURTHER.mirrored };
const prints = ignore ? null : await plantCopies(folder, kinds);

for (const kind of Object.keys(PLANTED)) {
  Deno.test({
    name: `[needs LAB_DATA] all 109 copies are found and no false pair: ${kind}`,
    ignore,
    fn() {
      const { copies, found, different, falsePairs, lowest } = searchPlanted(prints!, kind);
      assertEquals({ copies, found, falsePairs }, { copies: 109, found: 109, falsePairs: 0 });
      // A share of 95% at least, and at most 2 false pairs in 10,000, with 95% certainty.
      assert(wilsonInterval(found, copies).low > 0.95);
      assert(wilsonInterval(falsePairs, different).high < 2e-4);
      assert(lowest > SAME_PICTURE + 0.02, `a copy is as unlike as ${lowest}`);
    },
  });
}

Deno.test({
  name: "[needs LAB_DATA] the most alike of all different radiographs lie clearly below the threshold",
  ignore,
  fn() {
    const [closest] = mostAlike(prints!.originals, 1);
    assert(closest.similarity < SAME_PICTURE - 0.04, JSON.stringify(closest));
  },
});

Deno.test({
  name: "[needs LAB_DATA] a mirrored picture is not claimed to be the same one",
  ignore,
  fn: () => assertEquals(searchPlanted(prints!, "mirrored").found, 0),
});

Deno.test("ten times as many pictures of noise take at most twenty times as long, and none are pairs", () => {
  const [, few, many] = [2_000, 2_000, 20_000].map((images) => searchMade("of noise", images));
  assertEquals([few.pairs, many.pairs], [0, 0]);
  assert(many.seconds < 20 * few.seconds, `${few.seconds} s and ${many.seconds} s`);
});

Deno.test("pictures of one shape are told apart for nearly all pairs, in less than a millisecond a picture", () => {
  const { seconds, pairs, images } = searchMade("alike in shape", 3_000);
  assert(pairs < 1e-4 * (images * (images - 1)) / 2, `${pairs} pairs`);
  assert(seconds < images / 1000, `${seconds} s`);
});

const flat = (level: number) => ({ grey: new Uint8Array(THUMBNAIL ** 2).fill(level) });
const waves = (phase: number) => ({
  grey: Uint8Array.from(
    { length: THUMBNAIL ** 2 },
    (_, i) => 128 + 80 * Math.sin(i % THUMBNAIL / 2 + phase) * Math.cos(i / THUMBNAIL / 2.5 + phase),
  ),
});

Deno.test("pictures of one grey are nobody's copies", () => {
  assertEquals(nearDuplicates(new Map([["a", flat(0)], ["b", flat(0)], ["c", flat(200)]])), []);
});

Deno.test("pairs come once, in the order given, and groups join through others", () => {
  const pairs = nearDuplicates(new Map([["z", waves(0)], ["b", waves(2)], ["a", waves(0)], ["m", waves(0)]]));
  assertEquals(pairs.map(({ a, b }) => [a, b]), [["z", "a"], ["z", "m"], ["a", "m"]]);
  assert(pairs.every(({ similarity }) => Math.abs(similarity - 1) < 1e-6));
  assertEquals(pictureGroups(pairs), [["z", "a", "m"]]);
  assertEquals(pictureGroups([{ a: "1", b: "2" }, { a: "3", b: "4" }, { a: "2", b: "3" }]), [[
    "1",
    "2",
    "3",
    "4",
  ]]);
});
