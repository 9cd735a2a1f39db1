import { assertEquals, assertThrows } from "@std/assert";
import { pathologyClass, pathologyFilter } from "../../lib/annealing/pathology.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";
import { FIGURE_4, loadMedPixLayout } from "./medpix_layout.ts";

Deno.test("of a MedPix folder with figure 4's counts, 1,474 of 2,050 images stay, in its five classes", async () => {
  const { records, dropped } = await loadMedPixLayout(FIGURE_4);
  assertEquals([records.length, dropped.length], [2050, 0]);
  const { images, classes, kept } = pathologyFilter(records, { minImages: 100 });
  assertEquals(images, { kept: 1474, of: 2050 });
  assertEquals(kept.length, 1474);
  assertEquals(classes.filter((c) => c.kept).map((c) => [c.location, c.images]), [
    ["Brain and Neuro", 631],
    ["Musculoskeletal", 270],
    ["Chest, Pulmonary", 222],
    ["Gastrointestinal", 200],
    ["Genitourinary", 151],
  ]);
  assertEquals(Object.fromEntries(classes.map((c) => [c.location, c.images])), FIGURE_4);
});

Deno.test("MedPix's 21 placeholder captions take their images away and leave the same classes", async () => {
  const placeholders = { "Brain and Neuro": 9, "Genitourinary": 6, "Spine": 4, "Abdomen": 2 };
  const { records, dropped } = await loadMedPixLayout(FIGURE_4, placeholders);
  assertEquals(dropped.map((d) => d.reason), Array(21).fill("placeholder caption"));
  const { images, classes } = pathologyFilter(records, { minImages: 100 });
  assertEquals(images, { kept: 1474 - 15, of: 2050 - 21 });
  assertEquals(classes.filter((c) => c.kept).length, 5);
});

Deno.test("the class is Location, not Location Category", async () => {
  const { records } = await loadMedPixLayout({ "Eye": 3, "Spine": 2 });
  assertEquals(new Set(records.map(pathologyClass)), new Set(["Eye", "Spine"]));
  assertEquals(new Set(records.map((r) => r.context?.locationCategory)).size, 5);
});

const record = (region: string | null, imageId: string) => ({ region, imageId }) as CorpusRecord;

Deno.test("images count, not rows, and the limit itself is enough", () => {
  const rows = [
    record("A", "1"),
    record("A", "1"),
    record("B", "2"),
    record("B ", "3"),
    record(null, "4"),
    record(null, "5"),
  ];
  const result = pathologyFilter(rows, { minImages: 2 });
  assertEquals(result.kept.map((r) => r.imageId), ["2", "3"]);
  assertEquals(result.images, { kept: 2, of: 5 });
  assertThrows(
    () => pathologyFilter([record(null, "1"), record(" ", "2")], { minImages: 1 }),
    Error,
    "location",
  );
  const none = { kept: [], images: { kept: 0, of: 0 }, classes: [] };
  assertEquals(pathologyFilter([], { minImages: 1 }), none);
});
