import { assert, assertEquals } from "@std/assert";
import { overlapAudit } from "../../lib/audit/mod.ts";
import { join } from "@std/path";
import {
  conceptCounts,
  type Corpus,
  type CorpusRecord,
  inspectImages,
  loadMedPix2,
  loadPmcVqa,
  loadRocoV2,
  loadSlake,
  summarize,
} from "../../lib/corpus/mod.ts";
import {
  type GroundTruth,
  type PhantomCounts,
  readGroundTruth,
  writePhantomCorpora,
} from "../../lib/phantom/mod.ts";
import { record } from "./record.ts";

const counts: PhantomCounts = {
  slake: { train: 30, validation: 5, test: 8 },
  pmc_vqa: { train: 10, validation: 0, test: 8 },
  roco_v2: { train: 12, validation: 3, test: 4 },
  medpix2: { train: 24, validation: 4, test: 6 },
};
const dir = join(await Deno.makeTempDir(), "phantoms");
await writePhantomCorpora(dir, { counts });
const truth = new Map((await readGroundTruth(dir)).map((row) => [join(dir, row.imageFile), row]));
const slake = await loadSlake(join(dir, "slake"));
const pmc = await loadPmcVqa(join(dir, "pmc_vqa"));
const roco = await loadRocoV2(join(dir, "roco_v2"));
const medpix = await loadMedPix2(join(dir, "medpix2"));

const images = (corpus: Corpus, split: string) =>
  new Set(corpus.records.filter((r) => r.split === split).map((r) => r.imageId)).size;

/** What a question asks for, answered from the ground truth; null for a question this test does not know. */
function answerTo(question: string, row: GroundTruth, choices: boolean): string | null {
  const organ = ["lung", "heart", "liver", "spleen", "kidney", "brain"].find((o) => question.includes(o));
  if (/modality|taken/.test(question)) return row.modality;
  if (/body part|region/.test(question)) return row.region;
  if (/enlarged|larger|size/.test(question)) return row.enlarged ? "yes" : "no";
  if (organ) return row.organs.includes(organ as "heart") ? "yes" : "no";
  if (/type|kind|what is the lesion/.test(question)) return row.lesion ?? "no lesion";
  if (choices && /location|where is the lesion\?/.test(question)) {
    return row.side ? `${row.side} ${row.organ}` : row.organ;
  }
  return row.organ;
}

Deno.test("every phantom row arrives in its split, with an image that is there", async () => {
  for (const [corpus, name] of [[slake, "slake"], [pmc, "pmc_vqa"], [roco, "roco_v2"]] as const) {
    for (const split of ["train", "validation", "test"] as const) {
      assertEquals(images(corpus, split), counts[name][split], `${name} ${split}`);
    }
  }
  for (const corpus of [slake, pmc, roco, medpix]) {
    assertEquals(new Set(corpus.records.map((r) => r.id)).size, corpus.records.length);
    for (const record of corpus.records) {
      assert((await Deno.stat(record.imagePath)).isFile);
      const row = truth.get(record.imagePath)!;
      assertEquals([row.dataset as string, row.split], [record.dataset, record.split]);
      assert(record.licence.startsWith("Apache-2.0"));
    }
  }
});

Deno.test("the loaded answers are true of the picture, in SLAKE and in PMC-VQA's options", () => {
  for (const record of [...slake.records, ...pmc.records]) {
    const row = truth.get(record.imagePath)!;
    assertEquals(record.answer, answerTo(record.question!, row, record.choices !== null), record.question!);
    if (record.choices) {
      assertEquals(record.choices.length, 4);
      assert(record.choices.includes(record.answer!));
      assert(record.choices.every((choice) => !/^\s|^[A-D]:/.test(choice)));
    }
  }
});

Deno.test("captions name the lesion of their own image", () => {
  for (const record of [...roco.records, ...medpix.records]) {
    const row = truth.get(record.imagePath)!;
    for (const fact of [row.modality, row.region, row.lesion, row.side, row.organ]) {
      if (fact) assert(record.caption!.includes(fact), record.caption!);
    }
    assert(!/\s{2}|\n|^ | $/.test(record.caption!));
  }
});

Deno.test("oddities are counted: two spaces, an empty answer, a repeated row, placeholder captions, missing texts", () => {
  const inEnglish = slake.dropped.filter((d) => d.reason !== "in another language (zh)");
  assertEquals(inEnglish.map((d) => d.reason), ["empty answer", "repeats an earlier row of train"]);
  assert(slake.repaired.find((r) => r.reason.startsWith("run of spaces"))!.count >= 2);
  assert(roco.repaired.find((r) => r.reason.startsWith("outer"))!.count >= 1);
  const rows = [...truth.values()].filter((row) => row.dataset === "medpix2").length;
  assertEquals(medpix.records.length + medpix.dropped.length, rows);
  assertEquals(medpix.repaired.find((r) => r.reason === "no plane given")?.count, 1);
});

Deno.test("Chinese rows come on request only", async () => {
  assert(slake.records.every((r) => r.language === "en"));
  const chinese = await loadSlake(join(dir, "slake"), { language: "zh" });
  const all = await loadSlake(join(dir, "slake"), { language: "all" });
  assert(chinese.records.length >= 2);
  assertEquals(all.records.length, slake.records.length + chinese.records.length);
});

Deno.test("test_clean.csv, where Answer is a text, gives the same records as test_2.csv, where it is a letter", async () => {
  const clean = await loadPmcVqa(join(dir, "pmc_vqa"), { cleanTest: true });
  const content = (corpus: Corpus) =>
    corpus.records.filter((r) => r.split === "test").map((r) => [r.imageId, r.question, r.answer, r.choices]);
  assertEquals(content(clean), content(pmc).slice(0, 8));
});

Deno.test("MedPix keeps cases together and gives what the case says", () => {
  const splits = new Map<string, Set<string>>();
  for (const r of medpix.records) splits.set(r.caseId!, (splits.get(r.caseId!) ?? new Set()).add(r.split));
  assert([...splits.values()].every((s) => s.size === 1));
  assert(medpix.records.some((r) => r.context!.findings) && medpix.records.some((r) => !r.context!.findings));
  assert(medpix.records.every((r) => r.context!.history.startsWith("patient with")));
});

Deno.test("phantom splits share no image and no case, and a file copied into another split is found", async () => {
  const all = await Promise.all([slake, pmc, roco, medpix].map((corpus) => inspectImages(corpus)));
  const records = all.flatMap((corpus) => corpus.records);
  assertEquals(overlapAudit(records), []);
  const copy = { ...records[0], split: "test" as const, imageId: "slake/copy" };
  const found = overlapAudit([...records, copy]);
  assertEquals(found.map(({ kind, a, b, shared }) => [kind, a, b, shared]), [[
    "bytes",
    "slake/test",
    "slake/train",
    1,
  ]]);
});

Deno.test("summaries and concept counts add up", () => {
  const rows = summarize(slake);
  assertEquals(rows.map((r) => r.images), [30, 5, 8]);
  assertEquals(rows.reduce((n, r) => n + r.closed + r.open, 0), slake.records.length);
  const total = (corpus: Corpus) => conceptCounts(corpus).reduce((n, c) => n + c.count, 0);
  assertEquals([total(slake), total(pmc), total(medpix)], [slake, pmc, medpix].map((c) => c.records.length));
  const nodules = roco.records.filter((r) => truth.get(r.imagePath)!.lesion === "nodule").length;
  assertEquals(conceptCounts(roco).find((c) => c.concept === "Nodule")?.count ?? 0, nodules);
});

Deno.test("a record counts under the concepts that its data set's rule finds in it", () => {
  const about = (more: Partial<CorpusRecord>) =>
    conceptCounts({ dataset: "pmc_vqa", records: [record(1, 1, more)] });
  const names = (more: Partial<CorpusRecord>) =>
    about(more).map(({ concept, count }) => `${concept} ${count}`);
  const pmc = (question: string, answer: string, caption: string | null = null) =>
    names({ dataset: "pmc_vqa", question, answer, caption });
  assertEquals(pmc("What is shown on MRI of the liver?", "A cyst"), ["MRI 1"], "the first that fits");
  assertEquals(pmc("What is it?", "A cyst", "Thoracic mass"), ["Chest 1"]);
  assertEquals(pmc("What is it?", "A cyst"), ["Others 1"]);
  const slake = (region: string | null) => names({ dataset: "slake", region });
  assertEquals([slake("Brain_Face"), slake("Foot"), slake(null)], [["Head 1"], ["Foot 1"], ["unknown 1"]]);
  assertEquals(names({ dataset: "roco_v2", caption: "Left pleural effusion and lung nodule" }), [
    "Fluid 1",
    "Lung 1",
    "Nodule 1",
    "Pleural effusion 1",
  ]);
  assertEquals([names({ region: "Chest" }), names({ region: null })], [["Chest 1"], ["unknown 1"]]);
});
