/**
 * Annealing: which images and pairs enrich the base set, and in what share over a run (paper section 4.3, figure 4).
 *
 * @module
 */
export {
  type PathologyClass,
  pathologyFilter,
  type PathologyResult,
  qualityFilter,
  type QualityResult,
} from "./filter.ts";
export {
  type Draw,
  mix,
  type MixOptions,
  type Mixture,
  type PoolAccount,
  ratioAt,
  type Schedule,
} from "./mix.ts";
export { checkLeakage, type Leak, type LeakItem, type LeakKind } from "./leakage.ts";
export {
  curate,
  type Curation,
  type CurationStep,
  DROPPED_COLUMNS,
  type DroppedPair,
  dropReasons,
  funnelOf,
} from "./curate.ts";
export { auditSchedule, type ScheduleRow, scheduleRows, type ShareWindow } from "./schedule.ts";
export { leakItems, splitForAudit } from "./evaluation_sets.ts";
