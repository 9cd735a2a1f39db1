/**
 * Annealing: which images and pairs enrich the base set, and in what share over a run (paper section 4.3, figure 4).
 *
 * @module
 */
export { type PathologyResult } from "./pathology.ts";
export { refusedPairs } from "./verdicts.ts";
export {
  curate,
  type Curation,
  curationAccount,
  type CurationStep,
  DroppedPair,
  dropReasons,
  funnelOf,
  withoutShared,
} from "./curate.ts";
export { learningRateScale, ratioAt, type Schedule, scheduleOf } from "./schedule.ts";
export { type Draw, mix, type MixOptions, type Mixture, type PoolAccount } from "./mix.ts";
export { auditSchedule, ScheduleRow, scheduleRows, type ShareWindow } from "./audit.ts";
export { auditSets } from "./evaluation_sets.ts";
