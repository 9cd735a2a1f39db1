/** Run folders with manifests, Arrow tables in and out. */
export * from "./arrow.ts";
export * from "./manifest.ts";
export * from "./run.ts";
