import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  auditSets,
  checkLeakage,
  findLeaks,
  hideInTraining,
  type LeakItem,
  type LeakKind,
  picturesOf,
} from "../../lib/annealing/mod.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";
import { pair } from "./pair.ts";

const item = (id: string, fields: Partial<LeakItem> = {}): LeakItem => ({
  id,
  imageId: `image of ${id}`,
  caseId: null,
  imageSha256: null,
  picture: null,
  question: "which side is the lesion on?",
  answer: "left",
  ...fields,
});

Deno.test("clean sets give an empty report, though short answers repeat and hashes, cases and pictures are missing", () => {
  const clean = [item("a"), item("b", { caseId: "", imageSha256: "", picture: "", imageId: "" })];
  const held = [item("c"), item("d", { caseId: "", imageSha256: "", picture: "", imageId: "" })];
  assertEquals(checkLeakage(clean, { test: held }), []);
});

/** One way each for a training item to be the evaluation item below. */
const PLANTED: Record<LeakKind, Partial<LeakItem>> = {
  image: { imageId: "i1" },
  bytes: { imageSha256: "h1" },
  near: { picture: "p1" },
  case: { caseId: "c1" },
  text: { question: "what does it  SHOW", answer: "CT of the chest" },
};
const KINDS = Object.keys(PLANTED) as LeakKind[];
const held = item("held", {
  imageId: "i1",
  imageSha256: "h1",
  picture: "p1",
  caseId: "c1",
  question: "What does it show?",
  answer: "Ct of the chest.",
});

Deno.test("a leak of each kind is found and named, and its name lets it pass", () => {
  for (const kind of KINDS) {
    const training = [item("x"), item("planted", PLANTED[kind])];
    const message = `medpix/${kind}: 1 (e.g. planted is held)`;
    assertThrows(() => checkLeakage(training, { slake: [item("s")], medpix: [held] }), Error, message);
    const leaks = checkLeakage(training, { slake: [item("s")], medpix: [held] }, [`medpix/${kind}`]);
    assertEquals(leaks.map((l) => [l.name, l.matches]), [[`medpix/${kind}`, [["planted", "held"]]]]);
  }
});

Deno.test("accepting one leak lets exactly that one pass, in that set", () => {
  const training = KINDS.map((kind) => item(`planted ${kind}`, PLANTED[kind]));
  const evaluation = { medpix: [held], slake: [held] };
  const all = ["medpix", "slake"].flatMap((set) => KINDS.map((kind) => `${set}/${kind}`));
  for (const name of all) {
    const { message } = assertThrows(() => checkLeakage(training, evaluation, [name]), Error);
    for (const other of all) {
      assertEquals(message.includes(`${other}: 1`), other !== name, `${name} ${other}`);
    }
  }
  assertEquals(checkLeakage(training, evaluation, all).length, 10);
});

Deno.test("what leaks can be removed: findLeaks lists every match and refuses nothing", () => {
  const training = [
    item("x"),
    ...KINDS.map((kind) => item(`planted ${kind}`, PLANTED[kind])),
    item("y", PLANTED.case),
  ];
  const leaks = findLeaks(training, { medpix: [held] });
  assertEquals(leaks.map((l) => l.matches.length), [1, 1, 1, 2, 1]);
  const leaking = new Set(leaks.flatMap(({ matches }) => matches.map(([id]) => id)));
  const clean = training.filter(({ id }) => !leaking.has(id));
  assertEquals([clean.map(({ id }) => id), checkLeakage(clean, { medpix: [held] })], [["x"], []]);
});

Deno.test("an evaluation item hidden in training is found by what stayed the same, and by nothing else", () => {
  const rows = hideInTraining(held, { medpix: [item("s"), held] });
  assertEquals(rows.map((row) => row.found), KINDS.map((kind) => `medpix/${kind}`));
  const short = { ...held, answer: "left" };
  assertEquals(hideInTraining(short, { medpix: [short] }).at(-1), {
    same: "question and answer",
    found: "nothing",
  });
});

Deno.test("the same image is no near-identical one besides", () => {
  const training = [item("y", { imageId: "i1", imageSha256: "h1", picture: "p1" })];
  const leaks = checkLeakage(training, { slake: [held] }, ["slake/image", "slake/bytes"]);
  assertEquals(leaks.map((l) => l.kind), ["image", "bytes"]);
});

Deno.test("a Chinese sentence is as telling as an English one", () => {
  const told = { question: "图像显示什么?", answer: "胸部的CT图像" };
  assertThrows(() => checkLeakage([item("x", told)], { zh: [item("s", told)] }), Error, "zh/text");
  const short = { question: "图像显示什么?", answer: "左肺" };
  assertEquals(checkLeakage([item("x", short)], { zh: [item("s", short)] }), []);
});

const record = (dataset: string, n: number, fields: Partial<CorpusRecord> = {}) =>
  ({
    id: `${dataset}/test/${n}`,
    imageId: `${dataset}/${n}`,
    caseId: null,
    imageSha256: `bytes of ${dataset} ${n}`,
    question: null,
    answer: null,
    caption: `caption ${n}`,
    ...fields,
  }) as CorpusRecord;

Deno.test("training is compared with every held-out split and with evaluation sets by name", () => {
  const records = [record("roco_v2", 1), record("roco_v2", 2), record("medpix2", 3), record("vqa_rad", 4)];
  const pairs = [
    pair("roco_v2", 1),
    pair("roco_v2", 2, { split: "test" }),
    pair("medpix2", 3, { split: "validation", caseId: "c" }),
  ];
  const pictures = picturesOf(records, [["roco_v2/1", "vqa_rad/4"]]);
  const { training, evaluation } = auditSets(pairs, records, pictures, { radiographs: ["vqa_rad/test/4"] });
  assertEquals(training.map((t) => [t.id, t.imageSha256]), [["roco_v2/1/q", "bytes of roco_v2 1"]]);
  assertEquals(Object.keys(evaluation), ["roco_v2/test", "medpix2/validation", "radiographs"]);
  assertEquals(evaluation.radiographs.map((e) => [e.id, e.answer]), [["vqa_rad/test/4", "caption 4"]]);
  assertThrows(() => checkLeakage(training, evaluation), Error, "radiographs/near: 1");
  assertThrows(
    () => auditSets(pairs, records, pictures, { lost: ["gone"] }),
    Error,
    "lost names the record gone",
  );
});

Deno.test("200,000 training items against 20,000 of evaluation take seconds, and the one leak is found", () => {
  const many = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) =>
      item(`${prefix}${i}`, {
        imageId: `${prefix}/image ${i >> 2}`,
        imageSha256: `${prefix} hash ${i >> 2}`,
        picture: `${prefix}/image ${i >> 2}`,
        caseId: `${prefix} case ${i >> 4}`,
        question: `What does image ${prefix} ${i} show in the left upper lobe?`,
        answer: `A well-defined nodule number ${prefix} ${i} in the left upper lobe`,
      }));
  const training = many(200_000, "t"), evaluation = many(20_000, "e");
  training[123_456] = { ...training[123_456], imageSha256: "e hash 77" };
  const sets = Object.fromEntries(
    [0, 1, 2, 3].map((i) => [`set ${i}`, evaluation.slice(i * 5000, (i + 1) * 5000)]),
  );
  const start = performance.now();
  const leaks = checkLeakage(training, sets, ["set 0/bytes"]);
  const seconds = (performance.now() - start) / 1000;
  assertEquals(leaks.map((l) => [l.name, l.matches.map(([id]) => id)]), [["set 0/bytes", ["t123456"]]]);
  assert(seconds < 30, `${seconds} s`);
});
