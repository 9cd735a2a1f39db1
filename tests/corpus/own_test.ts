import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { inspectImages, loadOwn, ownSetNames, type OwnSource, writeOwnSet } from "../../lib/corpus/mod.ts";
import { type Files, folder } from "./layouts.ts";

const imageCache = await Deno.makeTempDir();
const PICTURES = { "a.png": "a picture", "sub/b.png": "another" };
const load = async (files: Files, about: Omit<OwnSource, "path"> = {}) =>
  await loadOwn("ward", { path: await folder({ ...PICTURES, ...files }), ...about }, { imageCache });
const rows = (corpus: Awaited<ReturnType<typeof load>>) =>
  corpus.records.map(({ question, answer, choices }) =>
    choices ? [question, answer, choices] : [question, answer]
  );
const reasons = (corpus: Awaited<ReturnType<typeof load>>) => corpus.dropped.map(({ reason }) => reason);

/** What is said of a folder that cannot be used: one sentence with cause and remedy, in no library's words. */
async function refusal(files: Files, about: Omit<OwnSource, "path"> = {}): Promise<string> {
  const { message } = await assertRejects(() => load(files, about), Error);
  assert(!/Download the file|Invalid input|expected nonoptional|undefined/.test(message), message);
  return message;
}

Deno.test("your own: choices as JSON, Python, numpy, bars or an object", async () => {
  const lists = [
    "['CT', 'MR']",
    '["CT", "MR"]',
    "['CT' 'MR']",
    "CT|MR",
    "{'A': 'CT', 'B': 'MR'}",
    "('CT', \"MR\")",
  ];
  const table = [
    "image;question;answer;choices",
    ...lists.map((list, k) => `a.png;Q${k}?;b;${list.replaceAll('"', '""')}`),
  ]
    .map((line, k) => k === 0 ? line : line.replace(/;([^;]*)$/, ';"$1"'));
  const corpus = await load({ "t.csv": table.join("\n") });
  assertEquals(rows(corpus), lists.map((_, k) => [`Q${k}?`, "MR", ["CT", "MR"]]));
  assertEquals(corpus.tables[0].format, "CSV, UTF-8, separated by semicolons");
});

Deno.test("your own: more options than letters are dropped", async () => {
  const list = (n: number) => JSON.stringify(Array.from({ length: n }, (_, k) => `option ${k}`));
  const row = (n: number) => `{"image":"a.png","question":"Q${n}?","answer":"A","choices":${list(n)}}`;
  const corpus = await load({ "t.jsonl": `${row(26)}\n${row(27)}` });
  assertEquals(corpus.records.map(({ question }) => question), ["Q26?"]);
  assertEquals(reasons(corpus), ["more than 26 options, which have no letters"]);
  const few = ['["A"]', '["A", ""]', '["A", "B"]'].map((list, k) =>
    `{"image":"a.png","question":"Q${k}?","answer":"A","choices":${list}}`
  );
  const left = await load({ "t.jsonl": few.join("\n") });
  assertEquals(rows(left), [["Q2?", "A", ["A", "B"]]]);
  assertEquals(reasons(left), Array(2).fill("an empty option, or a single one"));
});

Deno.test("your own: booleans, lists, long integers and what tables write where there is nothing", async () => {
  const corpus = await load({
    "t.json":
      `[{"image":"a.png","question":"Q1?","answer":true},{"image":"a.png","question":"Q2?","answer":["left","right"]},
      {"image":"a.png","question":"Q3?","answer":12345678901234567890},{"image":"a.png","question":"Q4?","answer":"FALSE"},
      {"image":"a.png","question":"Q5?","answer":["no"]},{"image":"a.png","question":"nan","answer":"x"},
      {"image":"a.png","question":"Q7?","answer":"None"},{"image":"a.png","question":"Q8?","answer":null},
      {"image":"nan","question":"Q9?","answer":"x"},{"image":"a.png","question":"Q10?","answer":"None","choices":["None","One"]}]`,
  });
  assertEquals(rows(corpus), [
    ["Q1?", "yes"],
    ["Q2?", "left, right"],
    ["Q3?", "12345678901234567890"],
    ["Q4?", "no"],
    ["Q5?", "no"],
    ["Q10?", "None", ["None", "One"]],
  ]);
  assertEquals(corpus.records.map((r) => r.answerType), [
    "closed",
    "open",
    "open",
    "closed",
    "closed",
    "closed",
  ]);
  assertEquals(reasons(corpus), ["empty question", "empty answer", "empty answer", "no image"]);
});

Deno.test("your own: images by absolute path, path struct, Windows path, in another folder; nothing outside is read", async () => {
  const dir = await folder({ ...PICTURES, "empty.png": "" }), other = await folder({ "c.png": "secret" });
  await Deno.symlink(`${other}/c.png`, `${dir}/link.png`);
  const names = [`${dir}/a.png`, { bytes: null, path: "a.png" }, "sub\\b.png", "b.png", "./a.png"];
  const bad = [
    `${other}/c.png`,
    "../c.png",
    "sub/../../x",
    "link.png",
    "empty.png",
    "none.png",
    "https://x.org/a.png",
  ];
  const table = [...names, ...bad].map((image, k) =>
    JSON.stringify({ image, question: `Q${k}?`, answer: "x" })
  );
  await Deno.writeTextFile(`${dir}/t.jsonl`, table.join("\n"));
  await Deno.writeTextFile(`${dir}/._t.jsonl`, "\0\x05\x16\x07");
  const corpus = await loadOwn("ward", { path: dir }, { imageCache });
  assertEquals(corpus.records.map((r) => r.imageId.slice(9)), [
    "a.png",
    "a.png",
    "sub/b.png",
    "sub/b.png",
    "a.png",
  ]);
  assertEquals(reasons(corpus).map((reason) => reason.split(":")[0]), [
    "the image lies outside the folder",
    "the image lies outside the folder",
    "the image lies outside the folder",
    "the image is a link out of the folder",
    "the image file is empty",
    "the image file is missing",
    "the image is a web address, which is not fetched",
  ]);
});

Deno.test("your own: splits by the names of files and folders, languages by what is asked", async () => {
  const table = (question: string) => `image,question,answer\na.png,${question},x\n`;
  const named = {
    "testing.csv": "test",
    "my_test_set.csv": "test",
    "myTestset.csv": "test",
    "valid-2.csv": "validation",
  };
  for (
    const [name, split] of Object.entries({ ...named, "contest.csv": "train", "test/metadata.csv": "test" })
  ) {
    const text = name.startsWith("test/") ? table("Q?").replaceAll("a.png", "../a.png") : table("Q?");
    const { records: [record] } = await load({ [name]: text });
    assertEquals([name, record.split], [name, split]);
  }
  const { records } = await load({
    "t.csv": "image,question,answer\na.png,图中有什么？,肺\na.png,What is it?,Lung\n",
  });
  assertEquals(records.map((r) => r.language), ["zh", "en"]);
  assertStringIncludes(
    await refusal({ "train_test.csv": table("Q?") }),
    "found test and train".split(" ")[0],
  );
  assertStringIncludes(
    await refusal({ "t.csv": "image,question,answer,split\na.png,Q?,x,fold3\n" }),
    'expected the split train, validation or test, found "fold3"; rename it',
  );
});

Deno.test("your own: UTF-16, Latin-1, Chinese GB18030, tabs, a mark at the start", async () => {
  const text = "image\tquestion\tanswer\na.png\tOù est-ce?\tà gauche\n";
  const utf16 = new Uint8Array(new Uint16Array([...`\ufeff${text}`].map((c) => c.charCodeAt(0))).buffer);
  const latin1 = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const said = [["Où est-ce?", "à gauche"]];
  const turned = utf16.map((_, k) => utf16[k ^ 1]); // big-endian
  const files = [
    [utf16, "UTF-16LE"],
    [utf16.subarray(2), "UTF-16LE"],
    [turned, "UTF-16BE"],
    [turned.subarray(2), "UTF-16BE"],
    [latin1, "Windows-1252"],
  ] as const;
  for (const [bytes, encoding] of files) {
    const corpus = await load({ "t.tsv": bytes });
    assertEquals([rows(corpus), corpus.tables[0].format], [said, `CSV, ${encoding}, separated by tabs`]);
  }
  const gb = Uint8Array.of(
    ...new TextEncoder().encode("image,question,answer\na.png,"),
    0xb7,
    0xce,
    0x2c,
    0xb7,
    0xce,
  );
  assertEquals(rows(await load({ "t.csv": gb })), [["肺", "肺"]]);
  assertEquals(rows(await load({ "t.csv": "\ufeffimage,question,answer\na.png,Q?,x\n" })), [["Q?", "x"]]);
});

Deno.test("your own: tables are read, and registered sets listed, in the order of their names", async () => {
  const names = Array.from("gcajdbhfie");
  const tables = names.map((name) => [`${name}.csv`, `image,question,answer\na.png,${name}?,x\n`]);
  const corpus = await load(Object.fromEntries(tables)), inOrder = names.toSorted();
  assertEquals(corpus.records.map(({ question }) => question), inOrder.map((name) => `${name}?`));
  const local = await Deno.makeTempDir();
  for (const name of names) await writeOwnSet(name, { path: "/data", columns: {}, resplit: false }, local);
  assertEquals(await ownSetNames(local), inOrder);
  await Deno.remove(local, { recursive: true });
});

Deno.test("your own: columns by other names, or as they are named; tables that have none are not used", async () => {
  const files = {
    "t.csv": "Img_Name,Frage,ANSWER\na.png,Q?,x\n",
    "licences.csv": "who,what\nme,CC0\n",
    "sources.csv": "image,from\na.png,here\n", // an image alone asks nothing
  };
  const corpus = await load(files, { columns: { question: "Frage" } });
  assertEquals(corpus.tables[0].columns, { image: "Img_Name", question: "Frage", answer: "ANSWER" });
  assertEquals(corpus.skipped.map(({ columns }) => columns), [["who", "what"], ["image", "from"]]);
  assertStringIncludes(
    await refusal({ "licences.csv": files["licences.csv"] }),
    "found who, what; say which",
  );
  assertStringIncludes(
    await refusal({ "t.csv": files["t.csv"] }),
    'expected a column "question", found Img_Name, Frage, ANSWER; say which one it is: --question COLUMN',
  );
  assertStringIncludes(
    await refusal({ "t.csv": "image,question,answer,answer\na.png,Q?,x,y\n" }),
    'found "answer" 2 times: rename all but one',
  );
});

Deno.test("your own: what cannot be used is one sentence with the cause and what to do", async () => {
  assertStringIncludes(await refusal({ "t.csv": "image,question,answer\na.png,Q?,x,y\n" }), "in quotes");
  assertStringIncludes(await refusal({ "t.json": "{}" }), 'to_json(orient="records")');
  assertStringIncludes(await refusal({ "t.json": "[1]" }), "row 1: expected an object with keys, found 1");
  assertStringIncludes(await refusal({ "t.jsonl": '{"image": ' }), "line 1");
  assertStringIncludes(await refusal({ "t.csv": "" }), "found an empty file. Get it, or write it, again.");
  assertStringIncludes(await refusal({ "t.parquet": "PAR1" }), "expected a complete parquet file");
  assertStringIncludes(
    await refusal({ "t.csv": "image,question,answer\nhttp://x/a.png,Q?,x\nhttp://x/b.png,Q?,x\n" }),
    "save the pictures and name their files (2 rows",
  );
});

Deno.test("your own: split anew, an image and a case stay in one split, and there are test rows", async () => {
  const lines = Array.from({ length: 60 }, (_, k) => `${k % 2 ? "a.png" : "sub/b.png"},Q${k}?,x,p${k % 2}`);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, k) => [`m${k}.png`, `picture ${k}`]));
  const more = Object.keys(many).map((name, k) => `${name},Q?,x,q${Math.floor(k / 2)}`);
  const table = ["image,question,answer,case", ...lines, ...more].join("\n");
  const { records } = await load({ ...many, "t.csv": table }, { resplit: true });
  for (const key of ["imageId", "caseId"] as const) {
    const splits = Map.groupBy(records, (record) => record[key]);
    assert([...splits.values()].every((own) => new Set(own.map(({ split }) => split)).size === 1));
  }
  assert(records.some(({ split }) => split === "test"));
});

Deno.test("your own: Parquet packed with LZ4 is refused by name, with what to do", async () => {
  const path = fromFileUrl(new URL("./fixtures/own_lz4", import.meta.url));
  const { message } = await assertRejects(() => loadOwn("ward", { path }, { imageCache }), Error);
  assertStringIncludes(
    message,
    "expected columns packed with SNAPPY, GZIP, ZSTD, BROTLI or not at all, found LZ4_RAW: write the file again, " +
      'in pandas with to_parquet(path, compression="zstd").',
  );
});

const dicom = (name: string) => Deno.readFile(new URL(`../image/fixtures/dicom/${name}`, import.meta.url));

Deno.test("your own: DICOM files by a table, of several frames too; what cannot be decoded is named and dropped", async () => {
  const loaded = await load({
    "scans/IM0001": await dicom("CT_small.dcm"),
    "scans/IM0002": await dicom("SC_rgb_rle_16bit_2frame.dcm"),
    "scans/cut.dcm": (await dicom("CT_small.dcm")).subarray(0, 20_000),
    "scans/report.dcm": "DICOMDIR or a report",
    "t.csv": "image,question,answer\nscans/IM0001,Q?,x\nscans/IM0002,Q?,x\n" +
      "scans/cut.dcm,Q1?,x\nscans/cut.dcm,Q2?,x\nscans/report.dcm,Q?,x\n",
  });
  const corpus = await inspectImages(loaded);
  assertEquals(corpus.records.map(({ imageId }) => imageId), [
    "own_ward/scans/IM0001",
    "own_ward/scans/IM0002",
  ]);
  assertEquals(corpus.repaired, [{ reason: "image: it is frame 2 of 2", count: 1 }]);
  assertEquals(new Set(reasons(corpus)), new Set(["image cannot be decoded"]));
  const [first, , last] = corpus.dropped.map(({ where }) => where);
  assertStringIncludes(first, "scans/cut.dcm cannot be decoded: its ");
  assertStringIncludes(
    last,
    "report.dcm cannot be decoded: it is not a PNG, JPEG, GIF, WebP, TIFF or DICOM file.",
  );
  const none = await folder({ "IM0001": await dicom("CT_small.dcm") });
  await assertRejects(() => loadOwn("ward", { path: none }), Error, "or a folder with tables; it has none.");
});

const data = Deno.env.get("LAB_DATA");
Deno.test({
  name: "your own: VQA-RAD's part in both layouts, without a word about its columns",
  ignore: data === undefined,
  fn: async () => {
    const json = await loadOwn("rad", { path: `${data}/vqa-rad-train/VQA_RAD Dataset Public.json` }, {
      imageCache,
    });
    const hub = await loadOwn("rad", { path: `${data}/vqa-rad-train/data` }, { imageCache });
    assertEquals([json.records.length + json.dropped.length, json.records.length], [719, 719]);
    assertEquals(new Set(json.records.map((r) => r.imageId)).size, 109);
    assertEquals(new Set(hub.records.map((r) => r.imageId)).size, 109);
    assertEquals(hub.records.length + hub.dropped.length, 719);
    assertEquals(json.records.filter((r) => r.answerType === "closed").length, 389);
  },
});
