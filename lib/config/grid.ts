import type { Config } from "./config.ts";

/** Data of the paper's stage 2; `roco_medpix` is ROCO with MedPix annealed in (section 4.3). */
export const STAGE2_DATASETS = ["medpix2", "roco_v2", "roco_medpix", "pmc_vqa"] as const;
export type Stage2Dataset = typeof STAGE2_DATASETS[number];

/** One cell of the paper's grid: which data, and whether stage 1 came before. */
export interface GridCell {
  /** E.g. "roco_v2__with". */
  name: string;
  dataset: Stage2Dataset;
  stage1: boolean;
}

/** The eight cells: every dataset with and without stage 1 (paper table 1). */
export const GRID: readonly GridCell[] = STAGE2_DATASETS.flatMap((dataset) =>
  [true, false].map((stage1) => ({ name: `${dataset}__${stage1 ? "with" : "without"}`, dataset, stage1 }))
);

/** The cells whose open answers are judged. */
export const JUDGED_CELLS = ["medpix2__with", "roco_v2__with", "roco_medpix__with"] as const;

/**
 * The cells that a configuration asks for.
 *
 * @throws when it names a cell that is not in the grid
 */
export function selectedCells(config: Config): readonly GridCell[] {
  const { cells } = config.stage2,
    unknown = cells?.filter((name) => !GRID.some((cell) => cell.name === name)) ?? [];
  if (unknown.length) {
    throw new Error(
      `There is no cell ${unknown.join(", ")} in the grid; there are ${GRID.map((c) => c.name).join(", ")}.`,
    );
  }
  return cells ? GRID.filter((cell) => cells.includes(cell.name)) : GRID;
}
