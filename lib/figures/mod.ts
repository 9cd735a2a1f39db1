/** Figures of the paper and of ours: plotly specifications, drawn without a browser. */
export {
  accuracyFigure,
  linesFigure,
  lossCurvesFigure,
  scalingFigure,
  type Series,
  table1Figure,
} from "./charts.ts";
export { type ArchitectureConfig, architectureFigure } from "./architecture.ts";
export { figure, saveFigure } from "./bundle.ts";
export { stage2Figure } from "./curves.ts";
export {
  conceptCountsFigure,
  curationFigure,
  type CurationPanel,
  paperCurationPanel,
} from "./data_charts.ts";
export { type AnswerExample, answerExamples, examplesFigure } from "./examples.ts";
export { pointingFigure } from "./intervals.ts";
export { lengthsFigure } from "./lengths.ts";
export { maskFigure, type TokenKind } from "./mask.ts";
export { mixingFigure, type MixingPanel } from "./mixing.ts";
export { recipeFigure } from "./recipe.ts";
export { type CaptionDetails, captionOf, publishFigure } from "./provenance.ts";
export { renderSvg, svgToPng } from "./render.ts";
export { mapPanels, saliencyFigure, type SaliencyPanel, tokenSaliencyFigure } from "./saliency.ts";
export type { AnswerCaption, Caption, PlotlySpec } from "./theme.ts";
