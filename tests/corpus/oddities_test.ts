import { assert, assertEquals } from "@std/assert";
import { loadOwn, reasonCounts, rowAccounts } from "../../lib/corpus/mod.ts";
import { decodeImage } from "../../lib/image/mod.ts";
import { folder, LAYOUTS } from "./layouts.ts";

const read = async (name: string) => {
  const layout = LAYOUTS.find((one) => one.name === name)!;
  return await layout.load(await folder(layout.files));
};

for (const { name, files, load, kept, dropped, repaired } of LAYOUTS) {
  Deno.test(`${name}: every row is kept or dropped for a reason, every repair is counted`, async () => {
    const corpus = await load(await folder(files)), [account] = rowAccounts([corpus]);
    const counts = (what: "dropped" | "repaired") =>
      Object.fromEntries(
        reasonCounts([corpus]).filter((r) => r.what === what).map((r) => [r.reason, r.count]),
      );
    assertEquals(counts("dropped"), dropped);
    assertEquals(counts("repaired"), repaired);
    const lost = Object.values(dropped).reduce((a, b) => a + b, 0);
    assertEquals([account.rows, account.kept, account.dropped], [kept + lost, kept, lost]);
    assertEquals(new Set(corpus.records.map((r) => r.id)).size, kept);
    for (const record of corpus.records) {
      assert(record.id.startsWith(`${corpus.dataset}/${record.split}/`) && record.licence !== "");
      assert((record.question === null) === (record.answer === null) && (record.question ?? record.caption));
      assert(record.choices === null || record.choices.includes(record.answer!));
    }
    for (const { where } of corpus.dropped) assert(/\.(json|csv|txt|parquet|jsonl|gz), row \d+$/.test(where));
  });
}

Deno.test("PMC-VQA: a letter means the letter in version 2 and the text in version 1", async () => {
  const two = await read("PMC-VQA 2"), one = await read("PMC-VQA 1, with Anwser");
  const answers = (corpus: typeof one) => corpus.records.map((r) => [r.sourceId, r.answer]);
  assertEquals(answers(two), [["train_2_0", "two"], ["train_2_4", "B"], ["train_2_5", "same"], [
    "test_2_0",
    "three",
  ]]);
  assertEquals(answers(one), [
    ["train_0", "Focal uptake pattern"],
    ["train_1", "A"],
    ["train_2", "three"],
    ["test_clean_0", "four"],
  ]);
  assertEquals(two.records[0].caption, 'A figure, "with" quotes and a line break');
});

Deno.test("parquet: images come out as they went in, one file each, under their hash", async () => {
  const { records } = await read("ROCO v1 from the hub");
  assertEquals(records.map((r) => [r.split, r.sourceId]), [
    ["train", "ROCO_00001"],
    ["train", "ROCO_00002"],
    ["validation", "ROCO_00006"],
    ["test", "ROCO_00008"],
  ]);
  for (const [k, level] of [1, 2, 6, 8].entries()) {
    const { width, height, data } = await decodeImage(records[k].imagePath);
    assertEquals([width, height, ...new Set(data)], [6, 5, level]);
    assert(records[k].imagePath.endsWith(`${records[k].imageSha256}.png`));
  }
  const again = await read("ROCO v1 from the hub");
  assertEquals(again.records, records);
});

Deno.test("question sets keep the identity of the images and cases they were made from", async () => {
  const short = await read("MEDPIX-ShortQA from the hub"), csv = await read("MEDPIX-ClinQA's CSV");
  for (const { records } of [short, csv]) {
    assertEquals([records[0].imageId, records[0].caseId], ["medpix2/MPX1001_synpic1", "medpix2/MPX1001"]);
  }
  const roco = await read("ROCO-QA from the hub");
  assertEquals(roco.records.map((r) => [r.split, r.imageId]), [
    ["validation", "roco_v1/ROCO_00006"],
    ["test", "roco_v1/ROCO_00008"],
  ]);
  assertEquals(short.records.map((r) => r.split), ["train", "train", "train", "validation", "test"]);
});

Deno.test("ROCOv2: both layouts give the concepts as one text", async () => {
  const files = (await read("ROCOv2")).records[0], hub = (await read("ROCOv2 from the hub")).records[0];
  assertEquals([files.context, hub.context], Array(2).fill({ cuis: "C0024109;C0040405" }));
});

Deno.test("MIMIC-CXR: labels become yes and no about each image of the study, for this machine alone", async () => {
  const { records, dropped } = await read("MIMIC-CXR-JPG, packed");
  assertEquals(records.slice(0, 3).map((r) => [r.question, r.answer, r.caseId, r.context]), [
    ["Is there atelectasis?", "yes", "mimic_cxr/p10000032", { study: "s50414267", view: "PA" }],
    ["Is there cardiomegaly?", "no", "mimic_cxr/p10000032", { study: "s50414267", view: "PA" }],
    ["Is there a pleural effusion?", "yes", "mimic_cxr/p10000032", { study: "s50414267", view: "PA" }],
  ]);
  assert(records.every((r) => r.noThirdParty && r.answerType === "closed"));
  assert(records[0].imagePath.endsWith("/files/p10/p10000032/s50414267/02aa-1.jpg"));
  assertEquals(records.at(-1)!.split, "validation");
  assertEquals(dropped.length, 4); // one entry a reason, with its count
});

Deno.test("your own: choices, letters, splits of files and rows, cases, DICOM names", async () => {
  const { records } = await read("your own CSV and JSON lines");
  assertEquals(
    records.map((r) => [r.split, r.sourceId, r.answer, r.choices, r.answerType, r.caseId]),
    [
      ["train", "train.csv_1", "right", ["left", "right"], "closed", "own_mine/p1"],
      ["train", "train.csv_2", "left", ["left", "right"], "closed", "own_mine/p1"],
      ["train", "train.csv_7", "Yes", null, "closed", null],
      ["validation", "7", "2", null, "open", null],
      ["test", "val.jsonl_2", "2", ["1", "2"], "closed", null],
    ],
  );
  assert(records[1].imagePath.endsWith("/sub/b.dcm"));
  assertEquals([records[0].imageId, records[2].imageId], ["own_mine/a.png", "own_mine/a.png"]); // written ./a.png
});

Deno.test("your own: a table of DICOM files loads and its pictures decode", async () => {
  const dicom = new URL("../image/fixtures/dicom/CT_small.dcm", import.meta.url);
  const dir = await folder({
    "mine.csv": "image,question,answer,case\nscans/ct.dcm,Is it normal?,yes,patient 1\n",
    "licence.txt": "for this test only\n",
    "scans/ct.dcm": await Deno.readFile(dicom),
  });
  for (const path of [dir, `${dir}/mine.csv`]) {
    const { records: [record] } = await loadOwn("mine", { path });
    assertEquals([record.split, record.licence, record.imageId, record.caseId], [
      "train",
      "for this test only",
      "own_mine/scans/ct.dcm",
      "own_mine/patient 1",
    ]);
    const { width, height } = await decodeImage(record.imagePath);
    assertEquals([width, height], [128, 128]);
  }
});
