import type { Row } from "../../lib/artifacts/mod.ts";
import { rng, shuffle } from "../../lib/config/mod.ts";
import { damageTest, editTable } from "./damage.ts";

/** One cell, so that a damaged notebook 05 takes a minute and not eight. */
const ONE_CELL = { LAB_SET: `stage2.cells=["roco_v2__with"]` };

/** Permutes one column among the training rows of the given datasets. */
const permute = (column: string, datasets: readonly string[]) => (rows: Row[]) => {
  const hit = rows.filter((row) => row.split === "train" && datasets.includes(String(row.dataset)));
  const values = shuffle(hit.map((row) => row[column]), rng("damage"));
  const next = new Map(hit.map((row, i) => [row, values[i]]));
  return rows.map((row) => next.has(row) ? { ...row, [column]: next.get(row)! } : row);
};

damageTest(
  "04 notices permuted answers",
  "04",
  (folder) => editTable(folder, "03_annealing", "pairs", permute("answer", ["slake"])),
);

damageTest(
  "05 notices shuffled images",
  "05",
  (folder) =>
    editTable(folder, "03_annealing", "pairs", permute("imagePath", ["roco_v2", "medpix2", "pmc_vqa"])),
  ONE_CELL,
);
