import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { z } from "zod";
import { type Config, loadConfig, paths, rng, shuffle } from "../../lib/config/mod.ts";
import {
  besidePaper,
  checkPictures,
  contactSheet,
  corporaFolder,
  type CorpusRecord,
  corpusRecords,
  droppedRows,
  ImagePath,
  limitCorpus,
  loadMedPix2,
  loadPmcVqa,
  loadRocoV2,
  loadSlake,
  reasonCounts,
  rightShare,
  rowAccounts,
  sampleRecords,
  truthByImage,
  writeRecords,
} from "../../lib/corpus/mod.ts";
import { type Manifest, readArrow, type Row, type StageRun, writeArrow } from "../../lib/artifacts/mod.ts";
import { decodeImage, encodePng } from "../../lib/image/mod.ts";
import { writePhantomCorpora } from "../../lib/phantom/mod.ts";

const temporary = await Deno.makeTempDir();
const dir = join(temporary, "phantoms");
await writePhantomCorpora(dir, {
  counts: {
    slake: { train: 14, validation: 4, test: 4 },
    pmc_vqa: { train: 8, validation: 0, test: 4 },
    roco_v2: { train: 10, validation: 3, test: 3 },
    medpix2: { train: 10, validation: 2, test: 2 },
  },
});
const corpora = [
  await loadSlake(join(dir, "slake")),
  await loadPmcVqa(join(dir, "pmc_vqa")),
  await loadRocoV2(join(dir, "roco_v2")),
  await loadMedPix2(join(dir, "medpix2")),
];
const records = corpora.flatMap((corpus) => corpus.records);
const truth = await truthByImage(dir);
const check = (rows: CorpusRecord[]) => checkPictures(rows, { images: 12, seed: 1, truth });
const share = (found: Awaited<ReturnType<typeof check>>, key: "picturesRight" | "rowsRight") =>
  found.reduce((n, c) => n + c[key], 0) /
  found.reduce((n, c) => n + (key === "rowsRight" ? c.rows : c.images), 0);

Deno.test("every row of the SLAKE files is kept or dropped for a reason", async () => {
  const [account] = rowAccounts(corpora);
  const files = ["train.json", "validate.json", "test.json"].map((f) => join(dir, "slake", f));
  const read = await Promise.all(files.map(async (f) => JSON.parse(await Deno.readTextFile(f)).length));
  assertEquals(account.rows, read.reduce((a, b) => a + b, 0));
  assertEquals(account.kept + account.dropped, account.rows);
  const dropped = reasonCounts(corpora.slice(0, 1)).filter((r) => r.what === "dropped");
  assertEquals(dropped.reduce((n, r) => n + r.count, 0), account.dropped);
  assertEquals(dropped[0].first!.split(",")[0], "train.json");
});

Deno.test("a limit leaves so many rows of each split and lists the others", () => {
  const config: Config = { ...loadConfig({}), limit: 3 };
  const cut = limitCorpus(corpora[0], config);
  assertEquals(cut.records.length, 9);
  const [before, after] = rowAccounts([corpora[0], cut]);
  assertEquals(after.rows, before.rows);
  assert(limitCorpus(corpora[0], loadConfig({})) === corpora[0]);
});

Deno.test("phantoms agree with their ground truth, picture by picture and row by row", async () => {
  const found = await check(records);
  assertEquals(found.map((c) => c.dataset), ["slake", "pmc_vqa", "roco_v2", "medpix2"]);
  assertEquals([share(found, "picturesRight"), share(found, "rowsRight")], [1, 1]);
  assertEquals(rightShare(found), 1);
});

Deno.test("a set of one's own has no ground truth: it is looked at as real data are, and no closing check hangs on it", async () => {
  const imagePath = join(temporary, "own.png");
  await Deno.writeFile(imagePath, await encodePng({ width: 2, height: 2, data: new Uint8Array(12).fill(7) }));
  const own = {
    ...records[0],
    dataset: "own_ward" as const,
    imagePath,
    question: "Is it normal?",
    answer: "yes",
  };
  const found = await check([...records, own]);
  assertEquals(found.at(-1), {
    dataset: "own_ward",
    images: 1,
    picturesRight: 0, // of one grey
    rows: 1,
    rowsRight: 1,
    largestDifference: null,
  });
  assertEquals(rightShare(found), 1);
});

Deno.test("without ground truth, pictures of one grey, unreadable files and rows without words are found", async () => {
  const rows = corpora[2].records.slice(0, 4);
  await Deno.writeTextFile(join(temporary, "broken.jpg"), "no picture");
  const grey = await encodePng({ width: 2, height: 2, data: new Uint8Array(12).fill(7) });
  await Deno.writeFile(join(temporary, "grey.png"), grey);
  const damaged = [
    { ...rows[0], imagePath: join(temporary, "broken.jpg") },
    { ...rows[1], imagePath: join(temporary, "grey.png") },
    { ...rows[2], caption: "" },
    rows[3],
  ];
  const [found] = await checkPictures(damaged, { images: 9, seed: 1, truth: null });
  assertEquals([found.images, found.picturesRight, found.rows, found.rowsRight], [4, 2, 4, 3]);
});

Deno.test("a dropped row is told with its place in the folder, rows of one reason with the first and their number", () => {
  const dropped = [undefined, 1, 2, 40].map((count, k) => ({
    reason: "r",
    where: `/data/set/a.csv, row ${k}`,
    count,
  }));
  assertEquals(droppedRows([{ ...corpora[0], root: "/data/set", dropped }]).map(({ where }) => where), [
    "a.csv, row 0",
    "a.csv, row 1",
    "a.csv, row 2 (the first of 2)",
    "a.csv, row 3 (the first of 40)",
  ]);
});

Deno.test("counts stand beside the paper's, also where only one of the two has them", () => {
  assertEquals(besidePaper([{ concept: "Lung", count: 3 }], { Brain: 5, Lung: 4 }), [
    { concept: "Lung", ours: 3, paper: 4 },
    { concept: "Brain", ours: null, paper: 5 },
  ]);
});

Deno.test("exchanged answers, captions and image paths are found", async () => {
  const random = rng("exchange");
  const exchanged = (key: "answer" | "caption" | "imagePath", rows: CorpusRecord[]) => {
    const values = shuffle(rows.map((r) => r[key]), random);
    return rows.map((r, i) => ({ ...r, [key]: values[i] }));
  };
  assert(share(await check(exchanged("answer", corpora[0].records)), "rowsRight") < 0.7);
  assert(share(await check(exchanged("caption", corpora[2].records)), "rowsRight") < 0.3);
  for (const corpus of corpora) {
    assert(share(await check(exchanged("imagePath", corpus.records)), "rowsRight") < 0.7, corpus.dataset);
  }
});

Deno.test("exchanged image files are found", async () => {
  const copy = join(temporary, "exchanged");
  await new Deno.Command("cp", { args: ["-r", dir, copy] }).output();
  const paths = corpora[2].records.map((r) => r.imagePath);
  for (const [i, path] of paths.entries()) {
    await Deno.copyFile(paths[(i + 1) % paths.length], path.replace(dir, copy));
  }
  const moved = corpora[2].records.map((r) => ({ ...r, imagePath: r.imagePath.replace(dir, copy) }));
  const found = await checkPictures(moved, { images: 12, seed: 1, truth: await truthByImage(copy) });
  assertEquals(share(found, "picturesRight"), 0);
});

/** A run of 01_data in the temporary folder: what is written to it can be read from `input`. */
function tableFolder() {
  const outputs: Manifest["outputs"] = {}, path = (name: string) => join(temporary, `${name}.arrow`);
  const writeTable: StageRun["writeTable"] = async (name, rows, row) => {
    await writeArrow(path(name), (row ? z.encode(z.array(row), [...rows]) : rows) as Row[]);
    outputs[`${name}.arrow`] = { sha256: "", bytes: 0 };
  };
  const table = async <T>(name: string, row: z.ZodType<T>) => z.array(row).parse(await readArrow(path(name)));
  return { writeTable, input: { table, manifest: { outputs } as Manifest } };
}

Deno.test("records come back from one table a data set as they went in", async () => {
  const { writeTable, input } = tableFolder();
  await writeRecords({ writeTable }, corpora);
  assertEquals(
    Object.keys(input.manifest.outputs),
    corpora.map(({ dataset }) => `records_${dataset}.arrow`),
  );
  assertEquals(await corpusRecords(input), records);
});

Deno.test("a table holds paths of images relative to the data folder, so that both may be moved together", () => {
  const inside = join(paths.local, "phantoms/slake/imgs/a b/source.jpg");
  assertEquals(z.encode(ImagePath, inside), "phantoms/slake/imgs/a b/source.jpg");
  assertEquals(ImagePath.parse("phantoms/slake/imgs/a b/source.jpg"), inside);
  for (const elsewhere of ["/ward/1.dcm", `${paths.local}2/1.png`]) {
    assertEquals(z.encode(ImagePath, elsewhere), elsewhere);
    assertEquals(ImagePath.parse(elsewhere), elsewhere);
  }
});

Deno.test("missing real data sets are named with what belongs there", async () => {
  const config: Config = { ...loadConfig({}), corpora: { source: "real", own: [] } };
  const error = await assertRejects(() => corporaFolder(config), Error);
  assert(/roco_v2\/ lacks .*\(\.\/lab data roco_v2\)/.test(error.message), error.message);
});

Deno.test("a contact sheet has a row a group and shows the pictures", async () => {
  const groups = corpora.map((c) => ({ title: c.dataset, records: sampleRecords(c.records, 3, 1) }));
  const sheet = await decodeImage(await contactSheet(groups, { side: 112, lines: 2 }));
  assertEquals([sheet.width, sheet.height], [3 * 126 + 14, 4 * (22 + 112 + 30 + 14) + 14]);
  const picture = await decodeImage(groups[0].records[0].imagePath);
  const [x, y] = [14, 14 + 22];
  for (const at of [[40, 50], [70, 80]]) {
    assertEquals(
      sheet.data[3 * ((y + at[1]) * sheet.width + x + at[0])],
      picture.data[3 * (at[1] * picture.width + at[0])],
    );
  }
});

Deno.test("a sheet is as wide as its longest row, and pictures that are not square lie in the middle of their tiles", async () => {
  const side = 80, top = 14 + 22;
  for (const [width, height] of [[8, 4], [4, 8]]) {
    const path = join(temporary, `${width} wide.png`), data = new Uint8Array(96).fill(255);
    await Deno.writeFile(path, await encodePng({ width, height, data }));
    const group = { title: "one", records: [{ ...records[0], imagePath: path }] };
    const sheet = await decodeImage(await contactSheet([group], { side, lines: 1 }));
    assertEquals([sheet.width, sheet.height], [80 + 2 * 14, 22 + 80 + 15 + 14 + 14]);
    const greys = [2, 17, 23, 40, 57, 63, 78].map((along) => {
      const [across, down] = width > height ? [side / 2, along] : [along, side / 2];
      return sheet.data[3 * ((top + down) * sheet.width + 14 + across)];
    });
    assertEquals(greys, [0, 0, 255, 255, 255, 0, 0]);
  }
});
