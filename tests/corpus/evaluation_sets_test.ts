import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type CorpusRecord, loadSlake } from "../../lib/corpus/mod.ts";
import {
  chooseItems,
  type EvaluationSet,
  evaluationSets,
  listHash,
  resolveEvaluationSet,
} from "../../lib/corpus/evaluation_sets.ts";
import { loadConfig, paths } from "../../lib/config/mod.ts";
import { record } from "./record.ts";

const data = Deno.env.get("LAB_DATA") ?? "";
const sets = new Map((await evaluationSets()).map((set) => [set.name, set]));
const real = loadConfig({ SCALE: "full" }), tiny = loadConfig({});
const slakeText = () => loadSlake(join(data, "slake-json"), { requireImages: false });

/** Frozen lists are kept in a folder of the test's own. */
async function inNewFolder(run: () => Promise<void>): Promise<void> {
  const local = paths.local as string, own = await Deno.makeTempDir();
  Object.assign(paths, { local: own });
  try {
    await run();
  } finally {
    Object.assign(paths, { local });
    await Deno.remove(own, { recursive: true });
  }
}

const of = (dataset: CorpusRecord["dataset"], n: number, about: Partial<CorpusRecord> = {}): CorpusRecord[] =>
  Array.from(
    { length: n },
    (_, i) =>
      record(i, i, { dataset, split: "test", id: `${dataset}/test/${i}`, caption: `finding ${i}`, ...about }),
  );

Deno.test("the committed sets have the paper's sizes, a hash of their ids, and say what is known of the paper's list", () => {
  assertEquals([...sets.keys()], [
    "medpix_test",
    "organs",
    "pmc_vqa_clean",
    "roco_medpix_open",
    "roco_open",
    "slake_closed",
  ]);
  const ids = (name: string) => sets.get(name)!.ids;
  assertEquals([ids("slake_closed")!.length, ids("pmc_vqa_clean")!.length], [416, 2000]);
  assertEquals([ids("roco_open"), ids("organs"), ids("medpix_test")], [null, null, null]);
  for (const set of sets.values()) {
    assert(set.paperList.length > 20);
    assertEquals(set.ids && new Set(set.ids).size, set.ids && set.items);
  }
});

Deno.test({
  name: "[needs LAB_DATA] slake_closed is test_close.csv row by row, and what its recipe finds",
  ignore: data === "",
  async fn() {
    const { records } = await slakeText(), set = sets.get("slake_closed")!;
    assertEquals(chooseItems(set, records), set.ids);
    const byId = new Map(records.map((r) => [r.id, r]));
    const ours = set.ids!.map((id) => byId.get(id)!).map((
      r,
    ) => [r.imageId.replace("slake/xmlab", ""), r.question]);
    const csv = (await Deno.readTextFile(join(data, "slake-json", "test_close.csv"))).trim().split(/\r?\n/)
      .slice(1);
    const theirs = csv.map((line) => {
      const [image, , ...rest] = line.split(","), text = rest.join(",");
      const quoted = text.match(/^"(.*?)",/);
      return [image, quoted ? quoted[1] : text.slice(0, text.indexOf(","))];
    });
    const sorted = (rows: unknown[][]) => rows.map((row) => row.join("|").replace(/\s+/g, " ")).sort();
    assertEquals(sorted(ours), sorted(theirs));
    await inNewFolder(async () => {
      const first = await resolveEvaluationSet(set, records, real);
      assertEquals([first.list, first.ids.length, first.sha256, first.missing], [
        "committed",
        416,
        set.sha256,
        [],
      ]);
      const changed = records.map((r) => r.id === set.ids![7] ? { ...r, answer: "Maybe" } : r);
      await assertRejects(
        () => resolveEvaluationSet(set, changed, real),
        Error,
        "the same ids with other questions, answers or captions",
      );
    });
  },
});

Deno.test("PMC-VQA's set takes test_clean.csv and refuses the other test files", async () => {
  const set = sets.get("pmc_vqa_clean")!;
  const rows = (file: string) =>
    Array.from(
      { length: 2000 },
      (_, k) => record(k, k, { dataset: "pmc_vqa", split: "test", id: `pmc_vqa/test/${file}_${k}` }),
    );
  await inNewFolder(async () => {
    for (const file of ["test", "test_2"]) {
      await assertRejects(() => resolveEvaluationSet(set, rows(file), real), Error, "expected 2000 items");
    }
    const { ids, sha256 } = await resolveEvaluationSet(set, rows("test_clean"), real);
    assertEquals([ids.length, sha256], [2000, set.sha256]);
    // A loader may drop a broken row or two, not many.
    const broken = await assertRejects(
      () => resolveEvaluationSet(set, rows("test_clean").slice(2), real),
      Error,
    );
    assert(broken.message.includes("2 gone"), broken.message);
  });
  await inNewFolder(async () => {
    const { missing } = await resolveEvaluationSet(set, rows("test_clean").slice(2), real);
    assertEquals(missing, ["pmc_vqa/test/test_clean_0", "pmc_vqa/test/test_clean_1"]);
    await assertRejects(
      () => resolveEvaluationSet(set, rows("test_clean").slice(30), real),
      Error,
      "found 1970 (missing: pmc_vqa/test/test_clean_0",
    );
  });
});

Deno.test("the first resolution freezes ids and contents; later ones agree or name the difference", async () => {
  const set = sets.get("roco_open")!, records = of("roco_v2", 500);
  await inNewFolder(async () => {
    const first = await resolveEvaluationSet(set, records, real);
    assertEquals([first.list, first.ids.length], ["frozen now", 200]);
    const again = await resolveEvaluationSet(set, [...records].reverse(), real);
    assertEquals(again, { ...first, list: "frozen earlier" });
    const gone = records.filter((r) => r.id !== first.ids[0]);
    const error = await assertRejects(
      () => resolveEvaluationSet(set, gone, real),
      Error,
      "1 new (roco_v2/test/",
    );
    assert(error.message.includes(`1 gone (${first.ids[0]})`), error.message);
    const reworded = records.map((r) => r.id === first.ids[3] ? { ...r, caption: "another" } : r);
    await assertRejects(
      () => resolveEvaluationSet(set, reworded, real),
      Error,
      "the same ids with other questions",
    );
  });
});

Deno.test("phantoms and limited runs follow the recipe at their own size and freeze nothing", async () => {
  const set = sets.get("roco_medpix_open")!;
  await inNewFolder(async () => {
    const records = [...of("roco_v2", 30), ...of("medpix2", 20), ...of("slake", 10)];
    const { list, ids, of: whole } = await resolveEvaluationSet(set, records, tiny);
    assertEquals([list, ids.length, whole], ["chosen now", 50, 200]);
    assert(ids.every((id) => !id.startsWith("slake")));
    const limited = await resolveEvaluationSet(set, records, { ...real, limit: 8 });
    assertEquals(limited.ids, ids.slice(0, 8));
    await assertRejects(() => Deno.stat(join(paths.local, "evaluation")), Deno.errors.NotFound);
    await assertRejects(
      () => resolveEvaluationSet(set, of("slake", 9), tiny),
      Error,
      "expected 200 items of ROCOv2",
    );
  });
});

Deno.test("the organs' set takes at most 50 of each location, of the test split alone", async () => {
  const set = sets.get("organs")!;
  const at = (region: string, n: number, split: "train" | "test" = "test") =>
    of("medpix2", n, { region, split }).map((r) => ({
      ...r,
      id: `medpix2/${split}/${region} ${r.sourceId}`,
    }));
  const records = [
    ...at("Brain and Neuro", 70),
    ...at("Chest, Pulmonary (ex. Heart)", 22),
    ...at("Gastrointestinal", 20),
    ...at("Musculoskeletal", 51),
    ...at("Head and Neck", 9),
    ...at("Gastrointestinal", 90, "train"),
  ];
  const { ids } = await resolveEvaluationSet(set, records, tiny);
  const counts = ["Chest", "Gastro", "Musculo", "Brain"].map((organ) =>
    ids.filter((id) => id.includes(organ)).length
  );
  assertEquals([counts, ids.length], [[22, 20, 50, 50], 142]);
});

Deno.test("a choice depends on seed and ids, not on order, and a larger set contains a smaller one", () => {
  const records = of("roco_v2", 300), base = sets.get("roco_open")!;
  const choose = (count: number, seed: number, all = records) =>
    chooseItems({ seed, parts: [{ ...base.parts[0], count }] }, all);
  const ids = choose(40, 7);
  assertEquals(ids, choose(40, 7, [...records].reverse()));
  assertEquals(choose(60, 7).slice(0, 40), ids);
  assert(ids.join() !== choose(40, 8).join());
});

Deno.test("a changed list or an unknown field is refused with the file's name", async () => {
  const folder = await Deno.makeTempDir(), path = join(folder, "x.json");
  const set: EvaluationSet = {
    ...sets.get("slake_closed")!,
    name: "x",
    ids: ["a", "b"],
    sha256: listHash(["a", "b"]),
  };
  const write = (value: unknown) => Deno.writeTextFile(path, JSON.stringify(value));
  await write(set);
  assertEquals((await evaluationSets(folder))[0].ids, ["a", "b"]);
  await write({ ...set, ids: ["b", "a"] });
  await assertRejects(
    () => evaluationSets(folder),
    Error,
    `${path}: expected the name of the file and the hash`,
  );
  await write({ ...set, sead: 1 });
  await assertRejects(() => evaluationSets(folder), Error, path);
});
