/** Asks our own models: answers that are kept, options ranked by likelihood, answers about slightly changed pictures. */
export { askCell, type ReadySystem, withSystem } from "./ask_cell.ts";
export { type AccuracyComparison, type AskOptions, compareAccuracy } from "./ask_model.ts";
export {
  CHANGED_ITEMS,
  type Consistency,
  consistency,
  SMALL_CHANGES,
  type SmallChange,
} from "./consistency.ts";
export { type OptionRanking, type RankedItem, rankingOf, rankOptions, ROTATED_ITEMS } from "./options.ts";
