import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  loadMedPix2,
  loadPmcVqa,
  loadRocoV1,
  loadRocoV2,
  loadSlake,
  loadVqaRad,
} from "../../lib/corpus/mod.ts";
import { insideFolder } from "../../lib/corpus/files.ts";
import { folder } from "./layouts.ts";

const text = { requireImages: false };

const slakeRow = {
  img_id: 1,
  img_name: "xmlab1/source.jpg",
  question: "Is this normal?",
  answer: "No",
  q_lang: "en",
  location: "Lung",
  modality: "CT",
  answer_type: "CLOSED",
  base_type: "vqa",
  content_type: "Abnormality",
  triple: ["vhead", "_", "_"],
  qid: 4,
};
const slakeFiles = (rows: unknown[] | string) => ({
  "train.json": typeof rows === "string" ? rows : JSON.stringify(rows),
  "validate.json": "[]",
  "test.json": "[]",
});

Deno.test("SLAKE: byte order mark, CRLF and the hub's validation.json are read", async () => {
  const rows = `\uFEFF${JSON.stringify([slakeRow], null, 2).replaceAll("\n", "\r\n")}`;
  const { "validate.json": empty, ...others } = slakeFiles(rows);
  const corpus = await loadSlake(await folder({ ...others, "validation.json": empty }), text);
  assertEquals(corpus.records.map((r) => [r.id, r.answer, r.answerType]), [[
    "slake/train/4",
    "No",
    "closed",
  ]]);
});

const badSlake: [string, unknown[] | string, string][] = [
  ["a file cut off", '[{"img_id": 1, "img_name": "xm', "train.json, line 1, column 31: expected JSON"],
  ["an object instead of a list", "{}", "expected a list of rows"],
  ["a missing key", [{ ...slakeRow, answer: undefined }], 'train.json, row 1: key "answer"'],
  ["a number as answer", [slakeRow, { ...slakeRow, qid: 5, answer: 3 }], 'train.json, row 2: key "answer"'],
  ["an unknown answer type", [{ ...slakeRow, answer_type: "CLOSE" }], 'row 1: key "answer_type"'],
  ["a path out of the folder", [{ ...slakeRow, img_name: "../../etc/passwd" }], "inside"],
  ["an absolute path", [{ ...slakeRow, img_name: "/etc/passwd" }], "inside"],
  [
    "an image of another number",
    [{ ...slakeRow, img_name: "xmlab2/source.jpg" }],
    'expected img_name "xmlab1',
  ],
  ["a qid twice", [slakeRow, slakeRow], "row 2: expected a new qid, found 4"],
];
for (const [what, rows, message] of badSlake) {
  Deno.test(`SLAKE: ${what} is an error that names file and row`, async () => {
    await assertRejects(async () => await loadSlake(await folder(slakeFiles(rows)), text), Error, message);
  });
}

Deno.test("SLAKE: a missing file, other bytes than UTF-8, and missing images are named", async () => {
  await assertRejects(async () => await loadSlake(await folder({})), Error, "train.json; it is missing");
  const latin = new Uint8Array([0x5b, 0x22, 0xe9, 0x22, 0x5d]);
  await assertRejects(
    async () => await loadSlake(await folder({ ...slakeFiles([]), "train.json": latin })),
    Error,
    "expected UTF-8",
  );
  const root = await folder(slakeFiles([slakeRow]));
  await assertRejects(() => loadSlake(root), Error, "row 1: expected the image");
  await assertRejects(() => loadSlake(root), Error, "1 of 1 images are");
});

const head = "index,Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split\n";
const pmcFiles = (rows: string) => ({ "train_2.csv": head + rows, "test_2.csv": head });
const pmcRow = (fields: Partial<Record<"path" | "a" | "b" | "answer", string>>) =>
  `0,${fields.path ?? "PMC1_F1.jpg"},"A figure, with comma",What is it?,${fields.a ?? " A: one"},${
    fields.b ?? " B:two"
  },C:three,four,${fields.answer ?? "B"},train\n`;

Deno.test("PMC-VQA: options with and without letters, quotes, CRLF and a byte order mark", async () => {
  const files = pmcFiles(pmcRow({}));
  const root = await folder({
    ...files,
    "train_2.csv": `\uFEFF${files["train_2.csv"].replaceAll("\n", "\r\n")}`,
  });
  const [record] = (await loadPmcVqa(root, text)).records;
  assertEquals(record.choices, ["one", "two", "three", "four"]);
  assertEquals([record.answer, record.caption, record.caseId], [
    "two",
    "A figure, with comma",
    "pmc_vqa/PMC1",
  ]);
});

Deno.test("PMC-VQA 1: Anwser as a text, Answer_label, and the reasons why a row is dropped", async () => {
  const header = "Figure_path,Question,Anwser,Choice A,Choice B,Choice C,Choice D,Answer_label\n";
  const row = (answer: string, label: string, d = "D:four") =>
    `PMC1_F1.jpg,What is it?,${answer},A:one,B:two,C:three,${d},${label}\n`;
  const root = await folder({
    "train.csv": header + row("two", "B") + row("B:two", "B") + row("two", "C") + row("five", "") +
      row("C", "") +
      row("two", "E") + row("one", "D", "D:one") + row("two", "B", "D:"),
    "test.csv": header,
  });
  const corpus = await loadPmcVqa(root, text);
  // The second row repeats the first.
  assertEquals(corpus.records.map((r) => r.answer), ["two", "three", "one"]);
  assertEquals(corpus.repaired.map((r) => r.reason), ["two options are the same, kept"]);
  assertEquals(corpus.dropped.map((d) => d.reason).sort(), [
    "Answer and Answer_label disagree",
    "Answer_label is not A, B, C or D",
    "empty option",
    "repeats an earlier row of train",
    "the answer is none of the options",
  ]);
  assert(corpus.dropped.some((d) => d.where.endsWith("train.csv, row 3")));
});

Deno.test("PMC-VQA: a wrong header, a short row, a path out of the folder", async () => {
  const wrong = await folder({ "train_2.csv": "a,b\n1,2\n", "test_2.csv": head });
  await assertRejects(
    () => loadPmcVqa(wrong, text),
    Error,
    'expected a column "Figure_path", found the header "a,b"',
  );
  const short = await folder(pmcFiles("0,PMC1_F1.jpg,only\n"));
  await assertRejects(() => loadPmcVqa(short, text), Error, "train_2.csv: expected a complete CSV file");
  const cut = await folder(pmcFiles('0,PMC1_F1.jpg,"no end'));
  await assertRejects(() => loadPmcVqa(cut, text), Error, "Quote Not Closed");
  const out = await folder(pmcFiles(pmcRow({ path: "../x.jpg" })));
  await assertRejects(() => loadPmcVqa(out, text), Error, "train_2.csv, row 1: expected a file name inside");
});

Deno.test("ROCOv2: an ID twice, an empty caption, an id that is a path", async () => {
  const files = (rows: string) => ({
    "train_captions.csv": `ID,Caption\n${rows}`,
    "valid_captions.csv": "ID,Caption\n",
    "test_captions.csv": "ID,Caption\n",
  });
  const twice = await folder(files("a,One\na,Two\n"));
  await assertRejects(() => loadRocoV2(twice, text), Error, 'row 2: expected a new ID, found "a"');
  const out = await folder(files("../a,One\n"));
  await assertRejects(() => loadRocoV2(out, text), Error, "inside");
  const empty = await loadRocoV2(await folder(files('a,"  "\nb,"Two\nlines"\n')), text);
  assertEquals(empty.dropped.map((d) => d.reason), ["empty caption"]);
  assertEquals(empty.records.map((r) => r.caption), ["Two lines"]);
  const v1 = await folder({
    "data/train/radiology/captions.txt": "ROCO_1 no tab\n",
    "data/train/radiology/licences.txt": "ROCO_ID,PMC_ID,CC\n",
  });
  await assertRejects(() => loadRocoV1(v1, text), Error, "row 1: expected an id, a tab and a caption");
  const captions = (text: string) => ({
    "data/train/radiology/captions.txt": text,
    "data/train/radiology/licences.txt": "ROCO_ID,PMC_ID,CC\n",
  });
  const unnamed = await folder(captions("\tA caption\n"));
  await assertRejects(() => loadRocoV1(unnamed, text), Error, "row 1: expected an id, a tab and a caption");
  const [short] = (await loadRocoV1(await folder(captions("a\tA caption\n")), text)).records;
  assertEquals([short.sourceId, short.caption], ["a", "A caption"]);
});

Deno.test("a file's name in a row stays inside its folder, and is one that a file can have", () => {
  for (const name of ["a.png", "sub/a.png", "..a", "x".repeat(255)]) {
    assertEquals(insideFolder("/data", name, "row 1"), `/data/${name}`);
  }
  const none = ["", "/etc/passwd", "../a", "sub/../../a", "sub\\a.png", "a\0.png"];
  for (const name of [...none, "x".repeat(256), `sub/${"x".repeat(256)}`]) {
    assertThrows(
      () => insideFolder("/data", name, "row 1"),
      Error,
      "row 1: expected a file name inside /data",
    );
  }
});

const description = (image: string, uid = "MPX1001", caption = "A caption.") => ({
  Type: "CT",
  U_id: uid,
  image,
  Description: {
    "ACR Codes": "",
    Age: "3",
    Caption: caption,
    "Figure Part": null,
    Modality: "CT",
    Plane: null,
    Sex: "male",
  },
  Location: "Spine",
  "Location Category": "Spine and Muscles",
});
const medpixFiles = (
  descriptions: unknown[],
  lists: unknown = { train: ["MPX1001"], dev: [], test: [] },
) => ({
  "MedPix-2-0/Descriptions.json": JSON.stringify(descriptions),
  "MedPix-2-0/Case_topic.json": JSON.stringify([{
    U_id: "MPX1001",
    TAC: [],
    MRI: [],
    Case: { Title: "T", Exam: null },
    Topic: {},
  }]),
  "MedPix-2-0/splitted_dataset/uid_list.json": JSON.stringify(lists),
});

Deno.test("MedPix: null and missing texts are left out of the context", async () => {
  const { records } = await loadMedPix2(await folder(medpixFiles([description("MPX1001_synpic1")])), text);
  assertEquals(records[0].context, {
    modality: "CT",
    age: "3",
    sex: "male",
    locationCategory: "Spine and Muscles",
    title: "T",
  });
  assert(records[0].imagePath.endsWith("/MedPix-2-0/images/MPX1001_synpic1.png"));
});

const badMedPix: [string, Record<string, string>, string][] = [
  [
    "a case in two splits",
    medpixFiles([], { train: ["MPX1001"], dev: [], test: ["MPX1001"] }),
    "found MPX1001 in train and test",
  ],
  ["a list without dev", medpixFiles([], { train: [], test: [] }), 'uid_list.json: key "dev"'],
  [
    "an image of an unlisted case",
    medpixFiles([description("x", "MPX7")]),
    "row 1: expected MPX7 in splitted_dataset",
  ],
  [
    "an image twice",
    medpixFiles([description("x"), description("x")]),
    'row 2: expected a new image, found "x"',
  ],
  ["an image out of the folder", medpixFiles([description("../x")]), "row 1: expected a file name inside"],
  [
    "a null caption",
    medpixFiles([description("x", "MPX1001", null as unknown as string)]),
    'key "Description.Caption"',
  ],
];
for (const [what, files, message] of badMedPix) {
  Deno.test(`MedPix: ${what} is an error that names file and row`, async () => {
    await assertRejects(async () => await loadMedPix2(await folder(files), text), Error, message);
  });
}

Deno.test("VQA-RAD: the traps of the full file are read or refused", async () => {
  const row = {
    qid: "0",
    phrase_type: "test_para",
    qid_linked_id: "x",
    image_case_url: "u",
    image_name: "synpic1.jpg",
    image_organ: "HEAD",
    evaluation: "evaluated",
    question: "How many? ",
    question_relation: "NULL",
    question_frame: "NULL",
    question_type: "COUNT",
    answer: 12,
    answer_type: "CLOSED ",
  };
  const file = "VQA_RAD Dataset Public.json";
  const { records, repaired } = await loadVqaRad(await folder({ [file]: JSON.stringify([row]) }), text);
  assertEquals(records.map((r) => [r.id, r.question, r.answer, r.answerType]), [[
    "vqa_rad/test/0",
    "How many?",
    "12",
    "closed",
  ]]);
  assertEquals(repaired.map((r) => [r.reason, r.count]), [["number made a text", 1], [
    "outer white space removed",
    2,
  ]]);
  const twice = await folder({ [file]: JSON.stringify([row, { ...row, qid: 0 }]) });
  await assertRejects(() => loadVqaRad(twice, text), Error, 'row 2: expected a new qid, found "0"');
  const type = await folder({ [file]: JSON.stringify([{ ...row, phrase_type: "Test_paraphrase" }]) });
  await assertRejects(() => loadVqaRad(type, text), Error, 'row 1: key "phrase_type"');
  const parquet = await folder({ "data/train-00000-of-00001.parquet": "PAR1 not really" });
  await assertRejects(
    () => loadVqaRad(parquet, text),
    Error,
    "train-00000-of-00001.parquet: expected a complete parquet file",
  );
  await assertRejects(
    async () => await loadVqaRad(await folder({ "data/x": "" }), { ...text, layout: "parquet" }),
    Error,
    "no such file is there",
  );
});
