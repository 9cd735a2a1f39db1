import type { Config } from "./config.ts";

/** Data of the paper's stage 2; `roco_medpix` is ROCO with MedPix annealed in (section 4.3). */
export const STAGE2_DATASETS = ["medpix2", "roco_v2", "roco_medpix", "pmc_vqa"] as const;
/** A set of the user's own, as its records call it: the name that `./lab data add` gave it, after "own_". */
export type OwnDataset = `own_${string}`;
/** What stage 2 is trained on: one of the paper's sets or one of your own. */
export type Stage2Dataset = typeof STAGE2_DATASETS[number] | OwnDataset;

/** The user's own sets that a configuration names. */
export const ownDatasets = ({ corpora }: Pick<Config, "corpora">): OwnDataset[] =>
  corpora.own.map((name) => `own_${name}` as const);

/** Whether a data set, or a cell of the grid, is of the user's own: nothing is promised of its numbers. */
export const isOwn = <T extends string>(name: T): name is T & OwnDataset => name.startsWith("own_");

const TITLES = new Map([
  ["slake", "SLAKE"],
  ["pmc_vqa", "PMC-VQA"],
  ["roco_v2", "ROCOv2"],
  ["roco_medpix", "ROCO + MedPix"],
  ["medpix2", "MedPix 2.0"],
  ["mimic_cxr", "MIMIC-CXR"],
  ["vqa_rad", "VQA-RAD"],
]);

/** A data set's name as people read it; a set of the user's own has the name that was given to it. */
export const datasetTitle = (dataset: string): string =>
  TITLES.get(dataset) ?? (isOwn(dataset) ? dataset.slice("own_".length) : dataset);

/** A cell's name as people read it ("ROCO + MedPix, with stage 1"); any other system's name stays as it is. */
export function cellTitle(name: string): string {
  const [, dataset, stages] = /^(.+)__(base|with|without)$/.exec(name) ?? [];
  if (dataset === undefined) return name;
  if (stages === "base") return `${datasetTitle(dataset)}, base model`;
  return `${datasetTitle(dataset)}, ${dataset === "slake" ? "stage 1" : `${stages} stage 1`}`;
}

/** One cell of the paper's grid: which data, and whether stage 1 came before. */
export interface GridCell {
  /** E.g. "roco_v2__with". */
  name: string;
  /** What stage 2 is trained on. */
  dataset: Stage2Dataset;
  /** Whether it starts from stage 1's projector. */
  stage1: boolean;
}

const cellsOf = (dataset: Stage2Dataset): GridCell[] =>
  [true, false].map((stage1) => ({ name: `${dataset}__${stage1 ? "with" : "without"}`, dataset, stage1 }));

/** The paper's eight cells: every dataset with and without stage 1 (table 1). */
export const GRID: readonly GridCell[] = STAGE2_DATASETS.flatMap(cellsOf);

/** The paper's cells, and two for every set of the user's own. */
export const gridOf = (config: Config): readonly GridCell[] => [
  ...GRID,
  ...ownDatasets(config).flatMap(cellsOf),
];

/** The cells whose open answers are judged. */
export const cellsToJudge = (config: Config): string[] =>
  ["medpix2", "roco_v2", "roco_medpix", ...ownDatasets(config)].map((dataset) => `${dataset}__with`);

/**
 * The cells that a configuration asks for.
 *
 * @throws when it names a cell that is not in the grid
 */
export function selectedCells(config: Config): readonly GridCell[] {
  const { cells } = config.stage2, grid = gridOf(config), known = grid.map(({ name }) => name);
  const unknown = cells?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length) {
    throw new Error(`There is no cell ${unknown.join(", ")} in the grid; there are ${known.join(", ")}.`);
  }
  return cells ? grid.filter((cell) => cells.includes(cell.name)) : grid;
}
