/** The paper's tables and ours, made from scores; verdicts by stated rules; the map of figures. Draws nothing. */
export * from "./accuracies.ts";
export * from "./answer_page.ts";
export * from "./curves.ts";
export * from "./external.ts";
export * from "./figure_map.ts";
export * from "./paper_tables.ts";
export * from "./paper_values.ts";
export * from "./pointing_table.ts";
export * from "./publish_table.ts";
export * from "./rows.ts";
export * from "./scaling.ts";
export * from "./tables.ts";
export * from "./verdicts.ts";
