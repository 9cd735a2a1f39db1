/** Items, answers, scores by the field's rules and the judge, and metrics of scores, as plain functions. */
export {
  askableCells,
  type CellAnswers,
  type EvaluatedCell,
  evaluationRecords,
  GRID_COMPARISONS,
  type GridItems,
  gridItems,
  isShort,
  leastChanged,
  type PredictionRow,
  predictionRows,
  SET_OF,
  TEST_SETS,
  type TestItems,
  type TestRecords,
  type TestSet,
} from "./cells.ts";
export { withOtherImages } from "./controls.ts";
export {
  askServer,
  type AskServerOptions,
  questionLines,
  type Questions,
  readPredictions,
  sortPredictions,
  VISION_PROMPT_VERSION,
} from "./external.ts";
export {
  type AnswerKind,
  type GivenAnswers,
  ItemScore,
  itemScores,
  scoresOf,
  type ScoreTable,
  scoreTable,
  systemScores,
  verdictScores,
} from "./item_scores.ts";
export { judgeMessages, judgeOpen, type JudgeOptions, type JudgeVerdict } from "./judge.ts";
export {
  isWorthless,
  type Judge,
  type JudgedCell,
  judgedCells,
  openJudge,
  personAgreement,
  type RaterAgreement,
  verdictShare,
} from "./judge_cells.ts";
export {
  type Accuracy,
  accuracyByGroup,
  accuracyOf,
  compare,
  type Difference,
  differenceOf,
  type GroupAccuracy,
  type ItemMean,
  itemMeans,
  type ScorerRow,
  scorerTable,
} from "./metrics.ts";
export { normaliseAnswer } from "./normalise.ts";
export { type PictureDoubts, pictureDoubts } from "./picture_doubts.ts";
export { type OverlapRow, overlapTable } from "./overlap.ts";
export { answerSeed, type AskedItem, type EvaluationItem, Prediction } from "./records.ts";
export {
  DIFFERENT_READINGS,
  type DifferentReading,
  PENALTY_READINGS,
  type PenaltyReading,
  robustAccuracies,
  type RobustAccuracy,
} from "./robustness.ts";
export { exact, type Scorer, type ScorerInput, type ScorerName, SCORERS } from "./scorers.ts";
export {
  type Grade,
  GRADING_PAGE,
  gradingPage,
  gradingPath,
  importGrading,
  personVerdicts,
  readGrades,
} from "./grading.ts";
