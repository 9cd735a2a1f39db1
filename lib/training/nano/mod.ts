export * from "./adaptation.ts";
export * from "./card.ts";
export * from "./config.ts";
export * from "./measure.ts";
export * from "./pretrain.ts";
export * from "./scaling.ts";
