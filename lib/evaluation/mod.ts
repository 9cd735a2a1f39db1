/** Items, answers, scores by the field's rules and the judge, and metrics of scores, as plain functions. */
export * from "./answers.ts";
export * from "./bleu.ts";
export * from "./cells.ts";
export * from "./controls.ts";
export * from "./external.ts";
export * from "./item_scores.ts";
export * from "./judge.ts";
export * from "./judge_cells.ts";
export * from "./metrics.ts";
export * from "./normalise.ts";
export * from "./picture_doubts.ts";
export * from "./overlap.ts";
export * from "./reading_rules.ts";
export * from "./records.ts";
export * from "./robustness.ts";
export { rouge, type RougeScores } from "../stats/mod.ts";
export * from "./scorers.ts";
export * from "./sequence_matcher.ts";
