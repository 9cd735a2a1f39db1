/** Scoring rules, closed questions over several runs, the judge for open ones, word overlap and controls. */
export * from "./answers.ts";
export * from "./bleu.ts";
export * from "./cells.ts";
export * from "./closed.ts";
export * from "./controls.ts";
export * from "./grid_tables.ts";
export * from "./judge.ts";
export * from "./judge_cells.ts";
export * from "./normalise.ts";
export * from "./notebook_rows.ts";
export * from "./picture_doubts.ts";
export * from "./overlap.ts";
export * from "./reading_rules.ts";
export * from "./records.ts";
export * from "./robustness.ts";
export { rouge, type RougeScores } from "../stats/mod.ts";
export * from "./scorers.ts";
export * from "./sequence_matcher.ts";
