/** Loaders of the official layouts, one record type, and what the records say: statistics, concepts, splits. */
export {
  type Corpus,
  type CorpusDataset,
  type CorpusRecord,
  type DroppedRow,
  ImagePath,
  type LoadOptions,
  type Split,
  SPLITS,
} from "./record.ts";
export { loadSlake } from "./slake.ts";
export { loadPmcVqa } from "./pmc_vqa.ts";
export { loadRocoV1, loadRocoV2, type RocoOptions } from "./roco.ts";
export { loadMedPix2 } from "./medpix2.ts";
export { loadMimicCxr } from "./mimic_cxr.ts";
export { loadVqaRad } from "./vqa_rad.ts";
export { loadMedPixShortQa, loadRocoQa } from "./released_qa.ts";
export { loadOwn, type OwnCorpus, type OwnSource } from "./own.ts";
export { loadOwnSets, type OwnSet, ownSetNames, readOwnSet, removeOwnSet, writeOwnSet } from "./own_sets.ts";
export { OWN_COLUMNS, type OwnColumn } from "./own_values.ts";
export {
  besidePaper,
  type ConceptCount,
  conceptCounts,
  conceptPanels,
  type CountBesidePaper,
} from "./concepts.ts";
export {
  type CorpusSummary,
  type LengthSpread,
  lengthSpreads,
  MEASURES,
  summarize,
  type Summarized,
} from "./statistics.ts";
export { splitByGroup } from "./splits.ts";
export { type InspectedCorpus, inspectImages, UNDECODABLE } from "./inspect.ts";
export {
  DroppedRecord,
  droppedRows,
  type ReasonCount,
  reasonCounts,
  type RowAccount,
  rowAccounts,
} from "./accounting.ts";
export { corporaFolder, limitCorpus, sampleRecords } from "./collection.ts";
export { contactSheet } from "./contact_sheet.ts";
export { samplePage } from "./sample_page.ts";
export { corpusRecords, writeRecords } from "./table.ts";
export { checkPictures, type PictureCheck, rightShare, truthByImage, truthOf } from "./truth_check.ts";
export { evaluationSetIds, type ResolvedSet, resolveEvaluationSets } from "./evaluation_sets.ts";
