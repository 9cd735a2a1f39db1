/** Figures of the paper and of ours: plotly specifications, drawn without a browser. */
export * from "./accuracy_bars.ts";
export * from "./architecture.ts";
export * from "./bundle.ts";
export * from "./charts.ts";
export * from "./curves.ts";
export * from "./data_charts.ts";
export { textWidth } from "./geometry.ts";
export * from "./examples.ts";
export * from "./intervals.ts";
export * from "./lengths.ts";
export * from "./mask.ts";
export * from "./mixing.ts";
export * from "./recipe.ts";
export * from "./provenance.ts";
export * from "./render.ts";
export * from "./saliency.ts";
export { type AnswerCaption, type Caption, COLOURS, plainText, type PlotlySpec } from "./theme.ts";
