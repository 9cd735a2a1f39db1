import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { contactSheet, loadPmcVqa, samplePage } from "@lib/corpus/mod.ts";
import { folder, LAYOUTS } from "./layouts.ts";

const reason = new Error("stopped by the test");

for (const layout of LAYOUTS) {
  Deno.test(`${layout.name}: loading ends with the reason of its signal`, async () => {
    const dir = await folder(layout.files), signal = AbortSignal.abort(reason);
    assertEquals(await assertRejects(() => layout.load(dir, { signal })), reason);
    await layout.load(dir, { signal: new AbortController().signal });
  });
}

Deno.test("a table of 50,000 rows lets Stop in while it is parsed, and is loaded when it is asked for again", async () => {
  const head = "Figure_path,Question,Answer,Choice A,Choice B,Choice C,Choice D\n";
  const row = (i: number) => `PMC${i}_F1.jpg,What is shown in figure ${i}?,A,${i},two,three,four\n`;
  const dir = await folder({
    "train.csv": head + Array.from({ length: 50_000 }, (_, i) => row(i)).join(""),
    "test.csv": head,
  });
  const stop = new AbortController();
  setTimeout(() => stop.abort(reason), 100);
  const start = performance.now();
  const loading = loadPmcVqa(dir, { requireImages: false, signal: stop.signal });
  assertEquals(await assertRejects(() => loading), reason);
  assert(performance.now() - start < 1500, `${performance.now() - start} ms`);
  assertEquals((await loadPmcVqa(dir, { requireImages: false })).records.length, 50_000);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("sheets and pages of pictures end with the reason of their signal, between two pictures", async () => {
  const picture = join(import.meta.dirname!, "../image/fixtures/pictures/order_300x200.png");
  const [record] = (await LAYOUTS[0].load(await folder(LAYOUTS[0].files))).records;
  const stop = new AbortController();
  const records = Array.from({ length: 400 }, (_, i) => {
    const one = { ...record, id: `${i}`, imageId: `${i}`, imagePath: picture };
    // The tenth picture that is asked for presses Stop.
    if (i === 10) Object.defineProperty(one, "imagePath", { get: () => (stop.abort(reason), picture) });
    return one;
  });
  const { signal } = stop, about = { title: "t", seed: 1, perSplit: 400, notice: "" };
  assertEquals(await assertRejects(() => contactSheet([{ title: "t", records }], { signal })), reason);
  assertEquals(await assertRejects(() => samplePage(records, { ...about, signal })), reason);
});
