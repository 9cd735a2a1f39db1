/** Run folders with manifests, Arrow tables in, and out by memory map. */
export * from "./arrow.ts";
export * from "./check_outputs.ts";
export {
  holdUnfinished,
  kept,
  keptResults,
  type KeptSummary,
  pruneKept,
  removeUnneededKept,
  type Unfinished,
} from "./kept.ts";
export * from "./manifest.ts";
export { mapFile, type MappedFile } from "./mapped_file.ts";
export * from "./open_table.ts";
export * from "./run.ts";
export * from "./stage_lock.ts";
