import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { loadConfig } from "../../lib/config/mod.ts";
import { loadMedPix2, loadRocoV2, truthByImage } from "../../lib/corpus/mod.ts";
import { captionFor, LESION_TYPES, trueAnswer, writePhantomCorpora } from "../../lib/phantom/mod.ts";
import {
  captionCount,
  captionsToAsk,
  countPairs,
  filterReport,
  judgedPairs,
  phantomPairs,
  phantomTruth,
  type QaPair,
  withQuestionTypes,
} from "../../lib/synthesis/mod.ts";

const dir = join(await Deno.makeTempDir(), "phantoms");
await writePhantomCorpora(dir, {
  counts: {
    slake: { train: 1, validation: 1, test: 1 },
    pmc_vqa: { train: 1, validation: 0, test: 1 },
    roco_v2: { train: 20, validation: 5, test: 5 },
    medpix2: { train: 10, validation: 2, test: 2 },
  },
});
const roco = (await loadRocoV2(join(dir, "roco_v2"))).records;
const medpix = (await loadMedPix2(join(dir, "medpix2"))).records;
const truth = await truthByImage(dir);
const pairs = phantomPairs([...roco, ...medpix], truth, 7);

Deno.test("template pairs are true of their image, marked as templates, and cover every record", () => {
  assertEquals(new Set(pairs.map((p) => p.id)).size, pairs.length);
  assertEquals(new Set(pairs.map((p) => p.imagePath)).size, roco.length + medpix.length);
  for (const pair of pairs) {
    const row = truth.get(pair.imagePath)!, found = trueAnswer(pair.question, row)!;
    assertEquals([pair.origin, pair.model, pair.questionType], ["template", null, found.type]);
    assertEquals(pair.answer, found.type === "open" ? captionFor(row) : found.answer);
  }
});

Deno.test("each image with a lesion gets every lesion question that applies once, each image one anatomy question", () => {
  for (const [path, own] of Map.groupBy(pairs, (p) => p.imagePath)) {
    const types = own.map((p) => p.questionType!);
    const { lesion: kind, side } = truth.get(path)!;
    const lesion = LESION_TYPES.filter((type) => type === "presence" || (type === "side" ? side : kind));
    assertEquals(types.slice(0, -1), [...lesion, "open"]);
    assert(["modality", "region", "organ_yn", "enlarged"].includes(types[types.length - 1]));
  }
  assertEquals(phantomPairs(roco, new Map(), 7), []);
});

Deno.test("question types: by wording where a phantom asks, by topic for the teacher, else as they were", () => {
  const typed = (change: Partial<QaPair>) => withQuestionTypes([{ ...pairs[0], ...change }])[0].questionType;
  const teacher = { origin: "teacher" as const, question: "Is a cyst visible?" };
  assertEquals(typed({ ...teacher, questionType: "finding", answer: "yes" }), "presence");
  assertEquals(typed({ ...teacher, questionType: "finding", answer: "cyst" }), "type");
  assertEquals(typed({ ...teacher, questionType: "side", answer: "no" }), "side");
  const source = { origin: "source" as const, questionType: "Organ" };
  assertEquals(typed({ ...source, question: "is the liver visible?" }), "organ_yn");
  assertEquals(typed({ ...source, question: "Does the picture contain liver?" }), "Organ");
});

Deno.test("the filter report adds up, and has no precision where there is no ground truth", () => {
  const count = (filter: string, seen: number, dropped: number) => ({
    filter,
    in: seen,
    dropped,
    reasons: {},
    examples: [],
  });
  const counts = [count("form", 10, 4), count("length", 6, 6)];
  const row = (after: string, pairs: number, supported: number) => ({
    after,
    pairs,
    supported,
    contradicted: pairs - supported,
    unverifiable: 0,
    precision: null,
    precisionOfVerifiable: null,
  });
  const report = filterReport(10, counts, [row("none", 10, 5), row("form", 6, 5), row("length", 0, 0)]);
  assertEquals(report.map((r) => [r.filter, r.left]), [["as parsed", 10], ["form", 6], ["length", 0]]);
  assertEquals(report.map((r) => r.precision), [0.5, 5 / 6, null]);
  assert(report[0].low! < 0.25 && report[0].high! > 0.75);
  assertEquals(filterReport(10, counts, [])[1].precision, null);
});

Deno.test("exchanged answers are found, and questions of other wordings are not counted", () => {
  assertEquals(phantomTruth(pairs, truth), { checked: pairs.length, right: pairs.length });
  const exchanged = pairs.map((p, i) => ({ ...p, answer: pairs[(i + 5) % pairs.length].answer }));
  const found = phantomTruth(exchanged, truth);
  assert(found.right < 0.6 * found.checked);
  assertEquals(phantomTruth([{ ...pairs[0], question: "Is it a cyst?" }], truth).checked, 0);
});

Deno.test("the teacher gets training captions of phantoms, at most half from MedPix, and all splits of real data; a limit holds for each", () => {
  const config = { ...loadConfig({}), limit: 12 };
  const { cases, literature } = captionsToAsk([...roco, ...medpix], config);
  assertEquals([cases.length, literature.length], [12, 12]);
  assertEquals(captionCount(config), 24);
  assert([...cases, ...literature].every((r) => r.split === "train"));
  const all = { ...config, limit: 1000, corpora: { source: "real" as const, own: [] } };
  const real = captionsToAsk([...roco, ...medpix], {
    ...all,
    synthesis: { ...all.synthesis, captions: 1000 },
  });
  assertEquals([real.cases.length, real.literature.length], [medpix.length, roco.length]);
});

Deno.test("judged pairs put the wrong ones first, and counts add up", () => {
  const wrong = {
    ...pairs[0],
    question: "Is there a lesion?",
    answer: pairs[0].answer === "yes" ? "no" : "yes",
  };
  const judged = judgedPairs([{ ...wrong, answer: pairs[0].answer }, wrong], roco, truth);
  assertEquals(judged.map((j) => j.verdict), ["contradicted", "supported"]);
  assertEquals(judged[0].caption, roco[0].caption);
  assertEquals(judgedPairs([wrong], roco, new Map())[0].verdict, "no ground truth");
  const counts = countPairs(pairs);
  assertEquals(counts.reduce((n, c) => n + c.train + c.validation + c.test, 0), pairs.length);
  assertEquals(counts.map((c) => `${c.dataset} ${c.origin}`), ["roco_v2 template", "medpix2 template"]);
});
