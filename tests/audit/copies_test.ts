import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { alignPictures, findCopies, TURN_NAMES } from "../../lib/audit/mod.ts";
import { agreement, movement } from "../../lib/audit/align.ts";
import { detailsOf } from "../../lib/audit/details.ts";
import { isSamePicture, SAME_PICTURE, STILL } from "../../lib/audit/same_picture.ts";
import { turnPicture } from "../../lib/audit/turns.ts";
import { imagesOf, phantomImage, searchCrowd, searchPlanted } from "../bench/audit.ts";
import { PLANTED } from "../bench/planted_copies.ts";
import { madeSlices } from "../bench/volume.ts";
import { rng } from "../../lib/config/mod.ts";
import { type Fingerprint, fingerprint, THUMBNAIL } from "../../lib/image/mod.ts";

const data = Deno.env.get("LAB_DATA") ?? "";
const folder = join(data, "vqa-rad-train", "VQA_RAD Image Folder");
const KINDS = [
  "cropped by 10% on the left",
  "cropped by 10% above",
  "made a square by black bars",
  "mirrored",
  "negative",
  "text over the middle 15%",
  "JPEG, quality 10",
];

Deno.test({
  name: "[needs LAB_DATA] of six held-out radiographs all copies are found, and no false pair",
  ignore: data === "",
  async fn() {
    const images = new Map([...await imagesOf(folder, 1)].slice(0, 6));
    for (const change of KINDS) {
      const { missed, falsePairs } = await searchPlanted(images, change, PLANTED[change]);
      assertEquals({ change, missed, falsePairs }, { change, missed: [], falsePairs: 0 });
    }
  },
});

const slices = new Map(Array.from({ length: 5 }, (_, v) => [`volume ${v}`, madeSlices(v, 1, 1)[0]]));

Deno.test("copies of slices of made volumes are found, and no false pair", async () => {
  const kinds = [
    "cropped by 10% on the left",
    "cropped by 10% on each side",
    "made a square by black bars",
    "mirrored",
  ];
  for (const change of kinds) {
    const { missed, falsePairs } = await searchPlanted(slices, change, PLANTED[change]);
    assertEquals({ change, missed, falsePairs }, { change, missed: [], falsePairs: 0 });
  }
});

/** A picture whose left part is moved to the left and whose right part to the right by up to `far`, as borders of a scan. */
function spread(view: Uint8Array, far: number): Uint8Array {
  return view.map((_, i) => {
    const x = i % THUMBNAIL, row = i - x;
    const from = Math.min(THUMBNAIL - 1, Math.max(0, x + far * Math.sin(5 * Math.PI * x / THUMBNAIL)));
    const low = Math.min(THUMBNAIL - 2, Math.floor(from)), part = from - low;
    return Math.round((1 - part) * view[row + low] + part * view[row + low + 1]);
  });
}

Deno.test("a picture whose borders have moved a little is another slice; one with noise of its own is a copy", () => {
  const views = [fingerprint(madeSlices(3, 1, 1)[0]).views[0]], random = rng("noise");
  for (const turn of [0, 4]) { // across, and down
    const view = turnPicture(spread(turnPicture(views[0], THUMBNAIL, turn), 0.8), THUMBNAIL, turn);
    const found = alignPictures({ views: [view] }, { views })!;
    assert(found.score > SAME_PICTURE, `${found.score}`);
    assert(found.moved > 0.25 && found.moved < 0.8, `${found.moved}`);
    assert(found.moved > STILL && !isSamePicture(found));
  }
  const grainy = alignPictures({ views: [views[0].map((level) => level + 12 * (random() - 0.5))] }, {
    views,
  })!;
  assert(grainy.score < 0.995 && grainy.moved < 0.05, JSON.stringify(grainy));
  assert(isSamePicture(grainy));
  assert(!isSamePicture({ score: SAME_PICTURE - 0.001, moved: 0 }));
});

Deno.test("too little in common is no agreement", () => {
  const details = detailsOf(fingerprint(madeSlices(1, 1, 1)[0]).views[0]);
  const aside = { wide: 1, high: 1, right: 60, down: 0 };
  assertEquals(agreement(details, details, aside), -1);
  const flat = new Int8Array(THUMBNAIL ** 2), upright = { wide: 1, high: 1, right: 0, down: 0 };
  assertEquals(agreement(flat, flat, upright), -1);
  assertEquals(movement(new Uint8Array(THUMBNAIL ** 2), new Uint8Array(THUMBNAIL ** 2), upright), 0);
});

Deno.test("different phantoms are different pictures", async () => {
  const prints = new Map(
    Array.from({ length: 30 }, (_, seed) => [`${seed}`, fingerprint(phantomImage(seed))]),
  );
  assertEquals(await findCopies(prints), []);
});

/** A picture in every turn, as a negative or not. */
function turned({ views: [grey] }: Fingerprint, turn: number, negative: boolean): Fingerprint {
  const view = turnPicture(grey, THUMBNAIL, turn);
  return { views: [negative ? view.map((level) => 255 - level) : view] };
}

Deno.test("each turn and the negative are named, and the placement is the identity", () => {
  const print = { views: [fingerprint(madeSlices(3, 1, 1)[0]).views[0]] };
  for (let turn = 0; turn < TURN_NAMES.length; turn++) {
    for (const negative of [false, true]) {
      const found = alignPictures(turned(print, turn, negative), print)!;
      assertEquals([found.turn, found.negative], [turn, negative], TURN_NAMES[turn]);
      assert(found.score > 0.999, `${found.score}`);
      const { wide, high, right, down } = found.placement;
      for (const [value, expected] of [[wide, 1], [high, 1], [right, 0], [down, 0]]) {
        assert(Math.abs(value - expected) < 0.02, JSON.stringify(found.placement));
      }
    }
  }
});

Deno.test("the placement says which part was cut off", () => {
  const [image] = madeSlices(5, 1, 1);
  const views = [fingerprint(image).views[0]], cut = new Uint8Array(THUMBNAIL ** 2), kept = 0.875;
  for (let i = 0; i < cut.length; i++) {
    const x = (i % THUMBNAIL) * kept, low = Math.floor(x), row = Math.floor(i / THUMBNAIL) * THUMBNAIL;
    cut[i] = views[0][row + low] * (1 - x + low) + views[0][row + low + 1] * (x - low);
  }
  const { placement, score } = alignPictures({ views: [cut] }, { views })!;
  assert(score > SAME_PICTURE);
  assert(
    Math.abs(placement.wide - kept) < 0.01 && Math.abs(placement.high - 1) < 0.01,
    JSON.stringify(placement),
  );
});

Deno.test("details do not change with light and contrast, and a negative has the negative ones", () => {
  const view = fingerprint(madeSlices(1, 1, 1)[0]).views[0].map((level) => Math.max(20, level));
  const details = detailsOf(view),
    darker = detailsOf(view.map((level) => level - 5)),
    negative = detailsOf(view.map((level) => 255 - level));
  details.forEach((value, i) => {
    assert(Math.abs(value - darker[i]) <= 4);
    assert(Math.abs(value + negative[i]) <= 1);
  });
});

Deno.test("the result does not depend on the number of workers, and a stop ends them", async () => {
  const prints = new Map([...slices].map(([name, image]) => [name, fingerprint(image)]));
  for (const [name, { views }] of [...prints]) {
    prints.set(`mirrored ${name}`, { views: views.map((view) => turnPicture(view, THUMBNAIL, 1)) });
  }
  for (let seed = 0; seed < 40; seed++) prints.set(`phantom ${seed}`, fingerprint(phantomImage(seed)));
  const alone = await findCopies(prints, { workers: 1 });
  assertEquals(alone.map(({ a, b }) => [a, b]), [...slices.keys()].map((name) => [name, `mirrored ${name}`]));
  assertEquals(await findCopies(prints, { workers: 3 }), alone);
  const stop = new AbortController(), reason = new Error("Stop was pressed");
  const onProgress = (done: number) => {
    if (done > 10) stop.abort(reason);
  };
  const search = findCopies(prints, { workers: 2, signal: stop.signal, onProgress });
  assertEquals(await assertRejects(() => search), reason);
});

Deno.test("copies are found among many different pictures", async () => {
  const { copies, found, pairs } = await searchCrowd(60, slices);
  assertEquals({ found, pairs }, { found: copies, pairs: 0 });
});

Deno.test("pictures of one grey are nobody's copies", async () => {
  const flat = (level: number) => ({ views: [new Uint8Array(THUMBNAIL ** 2).fill(level)] });
  assertEquals(await findCopies(new Map([["a", flat(0)], ["b", flat(0)], ["c", flat(200)]])), []);
});

Deno.test("a search says how far it is and can be stopped", async () => {
  const prints = new Map([...slices].map(([name, image]) => [name, fingerprint(image)])), seen: number[] = [];
  await findCopies(prints, { onProgress: (done) => void seen.push(done) });
  assertEquals(seen, [0, 2, 5]);
  const stop = new AbortController(), reason = new Error("Stop was pressed");
  stop.abort(reason);
  assertEquals(await assertRejects(() => findCopies(prints, { signal: stop.signal })), reason);
});
