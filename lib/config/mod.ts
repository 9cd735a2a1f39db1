/** Configuration per scale, paths, seeds and hashes. */
export * from "./computing.ts";
export * from "./config.ts";
export * from "./hash.ts";
export * from "./paths.ts";
export * from "./random.ts";
