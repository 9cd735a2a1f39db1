/** Configuration per scale, the grid of stage 2, paths, seeds, hashes, files written whole or not at all, threads, and processes that train together. */
export {
  type Content,
  diskError,
  makeFolder,
  syncPath,
  writeAllSync,
  writeFileAtomic,
  writeFileAtomicSync,
} from "./atomic.ts";
export { computing, type PeakMemory } from "./computing.ts";
export { Config, limited, loadConfig, Scale } from "./config.ts";
export {
  cellsToJudge,
  cellTitle,
  datasetTitle,
  GRID,
  type GridCell,
  gridOf,
  isOwn,
  type OwnDataset,
  ownDatasets,
  selectedCells,
  STAGE2_DATASETS,
  type Stage2Dataset,
} from "./grid.ts";
export { canonicalJson, finiteJson, jsonLeaves, sha256, sha256File } from "./hash.ts";
export { paths } from "./paths.ts";
export { rng, shuffle } from "./random.ts";
export { tiedCommand } from "./tied_command.ts";
export { inOrder, serve, type WorkerPool, workerPool } from "./worker_pool.ts";
export { isWorker, type WorkerPlace, workerPlace } from "./workers.ts";
