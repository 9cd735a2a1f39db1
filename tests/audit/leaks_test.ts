import { assert, assertEquals } from "@std/assert";
import {
  findLeaks,
  hideInTraining,
  leakingItems,
  type LeakItem,
  type LeakKind,
  lookalikesOf,
} from "../../lib/audit/mod.ts";

const item = (id: string, fields: Partial<LeakItem> = {}): LeakItem => ({
  id,
  imageId: `image of ${id}`,
  caseId: null,
  imageSha256: null,
  question: "which side is the lesion on?",
  answer: "left",
  ...fields,
});

Deno.test("clean sets give an empty report, though short answers repeat and hashes and cases are missing", () => {
  const clean = [item("a"), item("b", { caseId: "", imageSha256: "", imageId: "" })];
  const held = [item("c"), item("d", { caseId: "", imageSha256: "", imageId: "" })];
  assertEquals(findLeaks(clean, { test: held }), []);
});

/** One way each for a training item to be the evaluation item below. */
const PLANTED: Record<LeakKind, Partial<LeakItem>> = {
  image: { imageId: "i1" },
  bytes: { imageSha256: "h1" },
  look: { imageId: "copy of i1" },
  case: { caseId: "c1" },
  text: { question: "what does it  SHOW", answer: "CT of the chest" },
};
const KINDS = Object.keys(PLANTED) as LeakKind[];
const held = item("held", {
  imageId: "i1",
  imageSha256: "h1",
  caseId: "c1",
  question: "What does it show?",
  answer: "Ct of the chest.",
});

const lookalikes = lookalikesOf([{ a: "i1", b: "copy of i1" }]);

Deno.test("a leak of each kind is found and named, in the set that has the item and in no other", () => {
  for (const kind of KINDS) {
    const training = [item("x"), item("planted", PLANTED[kind])];
    assertEquals(findLeaks(training, { slake: [item("s")], medpix: [held] }, lookalikes), [
      { set: "medpix", kind, matches: [["planted", "held"]] },
    ]);
  }
});

Deno.test("what leaks by image, bytes, look or case is to be dropped; what shares words alone stays", () => {
  const training = [
    item("x"),
    ...KINDS.map((kind) => item(`planted ${kind}`, PLANTED[kind])),
    item("y", PLANTED.case),
  ];
  const leaks = findLeaks(training, { medpix: [held] }, lookalikes);
  assertEquals(leaks.map((l) => l.matches.length), [1, 1, 1, 2, 1]);
  const leaking = leakingItems(leaks), clean = training.filter(({ id }) => !leaking.has(id));
  assertEquals(clean.map(({ id }) => id), ["x", "planted text"]);
  assertEquals(findLeaks(clean, { medpix: [held] }, lookalikes).map(({ kind }) => kind), ["text"]);
});

Deno.test("an evaluation item hidden in training is found by what stayed the same, and by nothing else", () => {
  const rows = hideInTraining(held, { medpix: [item("s"), held] });
  assertEquals(rows.map(({ kind, found }) => [kind, found]), KINDS.map((kind) => [kind, kind]));
  const short = { ...held, answer: "left", caseId: null };
  assertEquals(hideInTraining(short, { medpix: [short] }).map(({ kind }) => kind), [
    "image",
    "bytes",
    "look",
  ]);
});

Deno.test("the same image is no look-alike besides, and looks are not passed on", () => {
  const training = [item("y", { imageId: "i1", imageSha256: "h1" }), item("z", { imageId: "copy of copy" })];
  const chain = lookalikesOf([{ a: "i1", b: "copy of i1" }, { a: "copy of i1", b: "copy of copy" }]);
  assertEquals(findLeaks(training, { slake: [held] }, chain).map((l) => l.kind), ["image", "bytes"]);
});

Deno.test("a Chinese sentence is as telling as an English one", () => {
  const told = { question: "图像显示什么?", answer: "胸部的CT图像" };
  assertEquals(findLeaks([item("x", told)], { zh: [item("s", told)] }).map(({ kind }) => kind), ["text"]);
  const short = { question: "图像显示什么?", answer: "左肺" };
  assertEquals(findLeaks([item("x", short)], { zh: [item("s", short)] }), []);
});

Deno.test("200,000 training items against 20,000 of evaluation take seconds, and the one leak is found", () => {
  const many = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) =>
      item(`${prefix}${i}`, {
        imageId: `${prefix}/image ${i >> 2}`,
        imageSha256: `${prefix} hash ${i >> 2}`,
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
  const leaks = findLeaks(training, sets);
  const seconds = (performance.now() - start) / 1000;
  assertEquals(leaks.map((l) => [l.set, l.kind, l.matches.map(([id]) => id)]), [["set 0", "bytes", [
    "t123456",
  ]]]);
  assert(seconds < 30, `${seconds} s`);
});
