/** Run folders with manifests, Arrow tables in, and out by memory map. */
export { type ColumnType, type Row, writeArrow } from "./arrow.ts";
export { damagedOutputs } from "./check_outputs.ts";
export {
  holdUnfinished,
  kept,
  keptResults,
  type KeptSummary,
  removeUnneededKept,
  type Unfinished,
} from "./kept.ts";
export {
  currentManifest,
  type CurrentRun,
  findRun,
  type FinishedRun,
  Manifest,
  readCurrent,
  readManifest,
  runNames,
  stageFolder,
} from "./manifest.ts";
export { mapFile, type MappedFile } from "./mapped_file.ts";
export { readArrow } from "./open_table.ts";
export { openInput, type RunOptions, type StageInput, type StageRun, startRun } from "./run.ts";
export { chooseRun, deleteRun } from "./stage_lock.ts";
