import { assert, assertEquals } from "@std/assert";
import { overlapAudit, splitErrors } from "../../lib/audit/mod.ts";
import { join } from "@std/path";
import {
  conceptCounts,
  type CorpusRecord,
  inspectImages,
  loadRocoV1,
  loadSlake,
  loadVqaRad,
  rowAccounts,
  splitByGroup,
} from "../../lib/corpus/mod.ts";

const data = Deno.env.get("LAB_DATA") ?? "";
const ignore = data === "";
const slake = join(data, "slake-json"),
  vqaRad = join(data, "vqa-rad-train"),
  roco = join(data, "roco-captions");
const text = { requireImages: false } as const;
const count = (records: CorpusRecord[], is: (r: CorpusRecord) => boolean) => records.filter(is).length;
const tally = <T>(items: T[], key: (item: T) => string) => {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
};

Deno.test({
  name: "[needs LAB_DATA] SLAKE has the published rows per split and language",
  ignore,
  fn: async () => {
    const published = { en: [4919, 1053, 1061], zh: [4916, 1046, 1033] };
    for (const language of ["en", "zh"] as const) {
      const { records, dropped } = await loadSlake(slake, { language, ...text });
      const found = ["train", "validation", "test"].map((split) => count(records, (r) => r.split === split));
      const other = dropped.filter((d) => d.reason.startsWith("in another language")).length;
      assertEquals(other, language === "en" ? 4916 + 1046 + 1033 : 4919 + 1053 + 1061);
      // All else that is dropped is in train: one empty answer and repeated rows.
      found[0] += dropped.length - other;
      assertEquals(found, published[language]);
      assertEquals(overlapAudit(records), []);
      assertEquals(
        ["train", "validation", "test"].map((s) =>
          new Set(records.filter((r) => r.split === s).map((r) => r.imageId)).size
        ),
        [450, 96, 96],
      );
    }
  },
});

Deno.test({
  name:
    "[needs LAB_DATA] SLAKE in both languages shares 142, 130 and 26 images between splits, and drops 15 rows",
  ignore,
  fn: async () => {
    const corpus = await loadSlake(slake, { language: "all", ...text });
    const found = overlapAudit(corpus.records).map(({ kind, a, b, shared }) => [kind, a, b, shared]);
    assertEquals(found, [
      ["image", "slake/test", "slake/train", 142],
      ["image", "slake/test", "slake/validation", 26],
      ["image", "slake/train", "slake/validation", 130],
    ]);
    assertEquals(
      splitErrors(overlapAudit(corpus.records)).some(({ kind, a, b, shared }) =>
        kind === "image" && a === "slake/test" && b === "slake/train" && shared === 142
      ),
      true,
    );
    assertEquals(tally(corpus.dropped, (d) => d.reason), {
      "empty answer": 1,
      "repeats an earlier row of train": 14,
    });
    assertEquals(
      corpus.dropped.find((d) => d.reason === "empty answer")!.where,
      `${slake}/train.json, row 1623`,
    );
    assertEquals(corpus.repaired, [{ reason: "run of spaces or odd space made one space", count: 91 }]);
    assertEquals(count(corpus.records, (r) => r.answer === "Transverse Plane"), 91 + 97);
    assertEquals(conceptCounts(corpus).map((c) => c.concept), ["Chest", "Abdomen", "Head", "Pelvic", "Neck"]);
  },
});

Deno.test({
  name: "[needs LAB_DATA] SLAKE's English test questions are the open and closed lists that others derived",
  ignore,
  fn: async () => {
    const { records } = await loadSlake(slake, text);
    for (const [file, type] of [["test_open.csv", "open"], ["test_close.csv", "closed"]] as const) {
      const lines = (await Deno.readTextFile(join(slake, file))).trim().split(/\r?\n/).slice(1);
      const theirs = tally(lines, (line) => line.split(",").slice(1, 3).join("|").replaceAll('"', ""));
      const ours = tally(
        records.filter((r) => r.split === "test" && r.answerType === type),
        (r) => `${r.imageId.slice("slake/".length)}/source.jpg|${r.question!.split(",")[0]}`,
      );
      assertEquals(ours, theirs);
    }
  },
});

Deno.test({
  name: "[needs LAB_DATA] VQA-RAD has 719 rows on 109 images, with its traps repaired",
  ignore,
  fn: async () => {
    const { records, dropped, repaired } = await loadVqaRad(vqaRad);
    assertEquals([records.length, dropped.length], [719, 0]);
    assertEquals(tally(records, (r) => r.answerType!), { open: 298, closed: 421 });
    assertEquals(tally(records, (r) => r.region!), { CHEST: 229, HEAD: 283, ABD: 207 });
    assertEquals(new Set(records.map((r) => r.imageId)).size, 109);
    const answer = (qid: string) => records.find((r) => r.sourceId === qid)!.answer;
    assertEquals([answer("1511"), answer("1683")], ["4", "2"]);
    assert(records.every((r) => !/[\t\n\uFFFD]|^ | $| {2}/.test(`${r.question}|${r.answer}`)));
    assert(records.find((r) => r.sourceId === "2136")!.question!.includes("tell if it's the"));
    assertEquals(count(records, (r) => r.context !== null), 719 - 143);
    assertEquals(repaired.find((r) => r.reason === "number made a text")!.count, 2);
  },
});

Deno.test({
  name:
    "[needs LAB_DATA] VQA-RAD's parquet layout gives the rows of the original one, joined by the published row list",
  ignore,
  fn: async () => {
    const original = new Map((await loadVqaRad(vqaRad)).records.map((r) => [r.sourceId, r]));
    const cache = await Deno.makeTempDir();
    const parquet = (await loadVqaRad(vqaRad, { layout: "parquet", imageCache: cache })).records;
    const list = (await Deno.readTextFile(join(vqaRad, "parquet_rows.csv"))).trim().split("\n").slice(1);
    assertEquals([parquet.length, list.length], [719, 719]);
    const hashed = await inspectImages({
      dataset: "vqa_rad",
      root: vqaRad,
      records: [...original.values()],
      dropped: [],
      repaired: [],
    });
    const hash = new Map(hashed.records.map((r) => [r.sourceId, r.imageSha256]));
    for (const [k, line] of list.entries()) {
      const [, qid] = line.split(","), theirs = original.get(qid)!;
      assertEquals(parquet[k].answer!.toLowerCase(), theirs.answer!.toLowerCase());
      assertEquals(parquet[k].imageSha256, hash.get(qid));
    }
    assertEquals(new Set(parquet.map((r) => r.imageId)).size, 109);
    assertEquals(
      (await inspectImages({ dataset: "vqa_rad", root: cache, records: parquet, dropped: [], repaired: [] }))
        .records,
      parquet,
    );
  },
});

Deno.test({
  name: "[needs LAB_DATA] a split of VQA-RAD by image and case shares neither",
  ignore,
  fn: async () => {
    const { records } = await loadVqaRad(vqaRad);
    const split = splitByGroup(records, { train: 0.7, validation: 0.1, test: 0.2 }, 3);
    assertEquals(splitErrors(overlapAudit(split)), []);
    const cases = new Map<string, string>();
    for (const r of split) {
      assertEquals(cases.set(r.caseId!, cases.get(r.caseId!) ?? r.split).get(r.caseId!), r.split);
    }
    const share = count(split, (r) => r.split === "train") / 719;
    assert(share > 0.65 && share < 0.75, `train has ${share}`);
  },
});

Deno.test({
  name:
    "[needs LAB_DATA] ROCO v1 has 200 captions per split with article and licence, two of which say nothing",
  ignore,
  fn: async () => {
    const { records, dropped } = await loadRocoV1(roco, text);
    assertEquals(tally(records, (r) => r.split), { validation: 200, test: 198 });
    assertEquals(
      dropped.map(({ reason }) => reason),
      Array(2).fill("caption that says nothing of the image"),
    );
    assertEquals(tally(records, (r) => r.licence), { "CC BY": 388, CC0: 10 });
    assertEquals(new Set(records.map((r) => r.caseId)).size, 391);
    assert(records.every((r) => r.caption === r.caption!.trim() && !/[\u00A0\t]/.test(r.caption!)));
    assert(records.some((r) => r.caption === "OPG."));
  },
});

Deno.test({
  name: "[needs LAB_DATA] every row of the real files is kept or dropped: in, out, repaired",
  ignore,
  fn: async () => {
    const imageCache = await Deno.makeTempDir();
    const corpora = [
      await loadSlake(slake, text),
      await loadSlake(slake, { language: "zh", ...text }),
      await loadSlake(slake, { language: "all", ...text }),
      await loadVqaRad(vqaRad),
      await loadVqaRad(vqaRad, { layout: "parquet", imageCache }),
      await loadRocoV1(roco, text),
    ];
    const accounts = rowAccounts(corpora).map((a) => [a.rows, a.kept, a.dropped, a.repairedFields]);
    assertEquals(accounts, [
      [14028, 7025, 7003, 91],
      [14028, 6988, 7040, 0],
      [14028, 14013, 15, 91],
      [719, 719, 0, 10],
      [719, 719, 0, 719 + 7], // every answer type is inferred
      [400, 398, 2, 51],
    ]);
  },
});

Deno.test({
  name: "[needs LAB_DATA] SLAKE in both languages has the published types, contents and 642 images",
  ignore,
  fn: async () => {
    const { records } = await loadSlake(slake, { language: "all", ...text });
    // published: 5,954/3,881, 1,255/844, 1,258/836; 9 open and 6 closed rows of train are empty or repeated
    assertEquals(tally(records, (r) => `${r.split} ${r.answerType}`), {
      "train open": 5954 - 9,
      "train closed": 3881 - 6,
      "validation open": 1255,
      "validation closed": 844,
      "test open": 1258,
      "test closed": 836,
    });
    assertEquals(count(records, (r) => r.contentType === "KG"), 1174 + 299 + 267);
    assertEquals(new Set(records.map((r) => r.imageId)).size, 642);
    assertEquals(Object.keys(tally(records, (r) => r.region!)).length, 10);
    assertEquals(Object.keys(tally(records, (r) => r.modality!)).sort(), ["CT", "MRI", "X-Ray"]);
    const english = records.filter((r) => r.language === "en");
    assertEquals(count(english, (r) => r.split === "test" && r.answerType === "open"), 645);
    assertEquals(count(english, (r) => r.split === "test" && r.answerType === "closed"), 416);
    assert(english.every((r) => /^[ -~]+$/.test(r.question! + r.answer!) && r.question!.endsWith("?")));
  },
});

Deno.test({
  name:
    "[needs LAB_DATA] VQA-RAD in both layouts: 389 yes/no answers, 32 other closed ones that parquet cannot tell",
  ignore,
  fn: async () => {
    const yesNo = (records: CorpusRecord[]) => count(records, (r) => /^(yes|no)$/i.test(r.answer!));
    const { records } = await loadVqaRad(vqaRad);
    assertEquals([yesNo(records), count(records, (r) => r.answerType === "closed")], [389, 389 + 32]);
    const imageCache = await Deno.makeTempDir();
    const parquet = (await loadVqaRad(vqaRad, { layout: "parquet", imageCache })).records;
    assertEquals([yesNo(parquet), count(parquet, (r) => r.answerType === "closed")], [389, 389]);
    assertEquals((await Array.fromAsync(Deno.readDir(imageCache))).length, 109);
  },
});
