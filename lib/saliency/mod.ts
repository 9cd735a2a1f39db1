/** Raw attention, rollout and gradient x attention in both directions, sinks, and measures of whether maps are faithful. */
export * from "./answer_maps.ts";
export * from "./baselines.ts";
export * from "./capture.ts";
export * from "./directions.ts";
export * from "./faithfulness.ts";
export * from "./image_to_response.ts";
export * from "./lesion_study.ts";
export * from "./localisation.ts";
export * from "./matrices.ts";
export * from "./painted.ts";
export * from "./perturbation.ts";
export * from "./pointing.ts";
export * from "./radiograph.ts";
export * from "./relevance.ts";
export * from "./rollout.ts";
export * from "./tower.ts";
