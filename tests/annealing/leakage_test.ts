import { assertEquals, assertThrows } from "@std/assert";
import { checkLeakage, type LeakItem } from "@lib/annealing/mod.ts";

const item = (id: string, fields: Partial<LeakItem> = {}): LeakItem => ({
  id,
  imageId: `image of ${id}`,
  caseId: null,
  imageSha256: null,
  question: "which side is the lesion on?",
  answer: "left",
  ...fields,
});

Deno.test("clean sets give an empty report, though short answers repeat and hashes are missing", () => {
  assertEquals(checkLeakage([item("a"), item("b")], { test: [item("c"), item("d")] }), []);
});

Deno.test("each way of leaking is found and named", () => {
  const evaluation = {
    slake: [item("s", { imageId: "i1", imageSha256: "h1", caseId: "c1" })],
    medpix: [item("m", { question: "What does it show?", answer: "Ct of the chest." })],
  };
  const cases: [Partial<LeakItem>, string][] = [
    [{ imageId: "i1" }, "slake/image"],
    [{ imageSha256: "h1" }, "slake/bytes"],
    [{ caseId: "c1" }, "slake/case"],
    [{ question: "what does it  show", answer: "CT of the chest" }, "medpix/text"],
  ];
  for (const [fields, name] of cases) {
    const training = [item("x"), item("y", fields)];
    assertThrows(() => checkLeakage(training, evaluation), Error, `${name}: 1 (e.g. y is `);
    const [leak, ...rest] = checkLeakage(training, evaluation, [name]);
    assertEquals([leak.name, leak.items, leak.accepted, rest.length], [name, 1, true, 0]);
  }
});

Deno.test("accepting one leak does not let another one pass", () => {
  const evaluation = { slake: [item("s", { imageId: "i1", imageSha256: "h1" })] };
  const training = [item("y", { imageId: "i1", imageSha256: "h1" })];
  assertThrows(() => checkLeakage(training, evaluation, ["slake/image"]), Error, "slake/bytes");
  assertEquals(checkLeakage(training, evaluation, ["slake/image", "slake/bytes"]).length, 2);
});
