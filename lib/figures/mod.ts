/** Figures and tables of the paper and of ours: plotly specifications, drawn without a browser. */
export * from "./architecture.ts";
export * from "./bundle.ts";
export * from "./charts.ts";
export * from "./curves.ts";
export * from "./data_charts.ts";
export { textWidth } from "./geometry.ts";
export * from "./examples.ts";
export * from "./figure_map.ts";
export * from "./mask.ts";
export * from "./paper_tables.ts";
export * from "./paper_values.ts";
export * from "./recipe.ts";
export * from "./provenance.ts";
export * from "./render.ts";
export * from "./saliency.ts";
export * from "./tables.ts";
export * from "./verdicts.ts";
export { type Caption, COLOURS, plainText, type PlotlySpec } from "./theme.ts";
