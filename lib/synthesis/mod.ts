/**
 * Question-answer pairs from captions by a teacher model: prompts, parsing, filters, provenance (paper section 4.2).
 *
 * @module
 */
export { QaPair, sourcePairs } from "./pair.ts";
export { kindsFor, type PairKind, type PairPrompt, pairPrompt, type Topic, topicsFor } from "./prompts.ts";
export { parseReply } from "./parse.ts";
export type { ParsedReply, RawPair, ReplyProblem, ReplyShape } from "./reply.ts";
export { type Decision } from "./review_file.ts";
export { balanceReport, type BalanceRow } from "./balance_report.ts";
export { reviewPage } from "./review_page.ts";
export { decide, importReview, readDecisions, REVIEW_PAGE, reviewPath } from "./review_store.ts";
export { type FilterCount } from "./apply_filters.ts";
export { type Candidate, FILTERS, MAX_COPY, type PairFilter, questionCopy } from "./filters.ts";
export { heldOutQuality } from "./labelled.ts";
export { precisionByFilter, type PrecisionRow, type TruthRow } from "./fact_check.ts";
export { type SynthesisOptions, type SynthesisResult, synthesize } from "./synthesize.ts";
export { filterReport, type FilterReportRow } from "./report.ts";
export { phantomPairs, phantomTruth, withQuestionTypes } from "./template.ts";
export {
  captionCount,
  captionsToAsk,
  countPairs,
  judgedPairs,
  type PairCount,
  promptMarkdown,
} from "./overview.ts";
export type { PlanOptions } from "./plan.ts";
