/** The paper's tables and ours, made from scores; verdicts by stated rules; the map of figures. Draws nothing. */
export {
  cellAccuracies,
  type CellAccuracy,
  type CellOverlap,
  cellOverlaps,
  comparable,
  meanBaseGain,
  medianImageGain,
  type PairedRow,
  pairedRows,
  smallestImageGain,
} from "./accuracies.ts";
export { answerPage, type WrongAnswer, wrongAnswers } from "./answer_page.ts";
export { CurveRow, lastLosses, trainingArguments, validated } from "./curves.ts";
export { externalAccuracies, externalReport, type ExternalSystem } from "./external.ts";
export { DEVIATIONS, type MapEntry } from "./figure_map.ts";
export {
  type AccuracyBar,
  type AnswerSources,
  answerTable,
  table1,
  table1Bars,
  table2,
} from "./paper_tables.ts";
export { PAPER_CONCEPTS, PAPER_CURATION, PAPER_LOSS_CLOSED, PAPER_LOSS_OPEN } from "./paper_values.ts";
export { aheadRows, areaRows, gainRows, paintedRows } from "./pointing_table.ts";
export { percentText, publishTable, type ShownRow, tableMarkdown, type Verdict } from "./tables.ts";
export {
  consistencyRows,
  controlRows,
  differenceRows,
  groupColumns,
  groupRows,
  itemRows,
  judgedRows,
  optionRows,
  type RankedCell,
  raterRows,
  robustnessRows,
  scorerRows,
  unaskedSets,
} from "./rows.ts";
export { recordedScaling, type ScalingRecord, scalingRows } from "./scaling.ts";
export { figureMapRows, type Judgement, stage1Verdict } from "./verdicts.ts";
