/** Faults of the newer layouts, and of CSV, JSON and parquet files as such: each names file and place. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { loadOwn, loadRocoV1, loadSlake } from "../../lib/corpus/mod.ts";
import { type Files, folder, LAYOUTS } from "./layouts.ts";

const layout = (name: string) => LAYOUTS.find((one) => one.name === name)!;
const text = (files: Files, name: string) => files[name] as string;

/** A file of a layout changed by replacing `from` by `to`, and what the error must say. */
const CHANGED: [layout: string, file: string, from: string | RegExp, to: string, message: string][] = [
  ["MIMIC-CXR-JPG", "split", "validate", "valdate", "row 3: expected train, validate or test"],
  ["MIMIC-CXR-JPG", "split", "174d-2", "02aa-1", 'row 2: expected a new dicom_id, found "02aa-1"'],
  ["MIMIC-CXR-JPG", "split", "02aa-1", "../../x", "row 1: expected ../../x in the metadata table"],
  ["MIMIC-CXR-JPG", "split", "10000032", "10000033", "row 1: expected subject 10000032"],
  [
    "MIMIC-CXR-JPG",
    "chexpert",
    "0.0",
    "0.5",
    'row 1: expected 1.0, 0.0, -1.0 or nothing as Cardiomegaly, found "0.5"',
  ],
  ["MIMIC-CXR-JPG", "chexpert", "53189527", "50414267", 'row 2: expected a new study_id, found "50414267"'],
  ["MIMIC-CXR-JPG", "chexpert", "Edema", "Oedema", 'expected a column "Edema"'],
  ["MIMIC-CXR-JPG", "metadata", "ViewPosition", "View", 'expected a column "ViewPosition"'],
  ["MEDPIX-ClinQA's CSV", "dataset_sa", "MPX1001,What", "1001,What", 'row 1: key "case_id"'],
  ["MEDPIX-ClinQA's CSV", "dataset_sa", "Valid", "Dev2", "row 4: expected the split Train, Valid or Test"],
  [
    "MEDPIX-ClinQA's CSV",
    "dataset_sa",
    "sample/MPX1001",
    "sample/../../MPX1001",
    "row 1: expected a file name inside",
  ],
  ["your own CSV and JSON lines", "train", "question,", "questions,", 'expected a column "question"'],
  [
    "your own CSV and JSON lines",
    "train",
    "case,note",
    "case,case",
    'expected every column once, found "case" 2 times',
  ],
  ["your own CSV and JSON lines", "train", /$/, '\na.png,"open', "Quote Not Closed"],
  ["your own CSV and JSON lines", "val", '"id":7}', '"id":7', "val.jsonl, line 1, column "],
  [
    "your own CSV and JSON lines",
    "val",
    "Test",
    "exam",
    'row 2: expected the split train, validation or test, found "exam"',
  ],
];
for (const [name, file, from, to, message] of CHANGED) {
  Deno.test(`${name}: ${JSON.stringify(to.slice(0, 40))} in ${file} is an error that says where`, async () => {
    const { files, load } = layout(name), path = Object.keys(files).find((one) => one.includes(file))!;
    const changed = text(files, path).replace(from, to);
    assertEquals(changed === files[path], false, "nothing was changed");
    const error = await assertRejects(
      async () => await load(await folder({ ...files, [path]: changed })),
      Error,
    );
    assertStringIncludes(error.message, message);
    assertStringIncludes(error.message, path);
  });
}

Deno.test("broken JSON is told by line and column, in one long line too", async () => {
  const row = `{"a": "${"x".repeat(5000)}"}`;
  const broken: [string, string][] = [
    [`[\n${row},\n${row},\n oops]`, "train.json, line 4, column 2: "],
    [`[${row}, ${row}, oops]`, `train.json, line 1, column ${2 * row.length + 6}: `],
    [`[${row}, ${row}`, "(it looks cut off)"],
    [" \n", "expected JSON, found white space"],
    ["", "expected text, found an empty file"],
  ];
  for (const [content, message] of broken) {
    const dir = await folder({ "train.json": content, "validate.json": "[]", "test.json": "[]" });
    await assertRejects(() => loadSlake(dir), Error, message);
  }
});

Deno.test("parquet: a missing part, a stray split, a wrong column and a folder are named", async () => {
  const { files } = layout("ROCO v1 from the hub"), short = layout("MEDPIX-ShortQA from the hub").files;
  const { "data/train-00001-of-00002.parquet": part, ...others } = files;
  await assertRejects(
    async () => await loadRocoV1(await folder(others)),
    Error,
    "train-00000-of-00002.parquet: expected 2 files of train numbered 0 to 1, found 1",
  );
  await assertRejects(
    async () => await loadRocoV1(await folder({ ...files, "data/extra-00000-of-00001.parquet": part })),
    Error,
    'expected a split\'s name, found "extra"',
  );
  await assertRejects(
    async () => await loadRocoV1(await folder(short)),
    Error,
    'Train-00000-of-00001.parquet: expected a column "image", found image_id, case_id',
  );
});

Deno.test("parquet: a page that claims more values than its column has is refused before it is unpacked", async () => {
  const { files, load } = layout("MEDPIX-ClinQA's sample.parquet"),
    bytes = (files["sample.parquet"] as Uint8Array).slice();
  // A data page's header in thrift: field 5, its first field is the count, 2 as a zigzag varint.
  const at = bytes.findIndex((_, k) => [0x2c, 0x15, 0x04].every((byte, i) => bytes[k + i] === byte));
  bytes[at + 2] = 0x7e;
  await assertRejects(
    async () => await load(await folder({ "sample.parquet": bytes })),
    Error,
    "sample.parquet: expected a complete parquet file, found: a page of 63 values",
  );
});

Deno.test("your own: a path that is no table says what is expected", async () => {
  const dir = await folder({ "notes.txt": "hello" });
  await assertRejects(
    () => loadOwn("mine", { path: dir }),
    Error,
    "to be a table (.csv, .tsv, .jsonl, .ndjson, .json, .parquet) or a folder with tables; it has none",
  );
  await assertRejects(() => loadOwn("mine", { path: `${dir}/notes.txt` }), Error, "it is none");
  await assertRejects(() => loadOwn("mine", { path: `${dir}/none.csv` }), Error, "it is missing");
});
