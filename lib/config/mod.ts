/** Configuration per scale, the grid of stage 2, paths, seeds, hashes, and files written whole or not at all. */
export * from "./atomic.ts";
export * from "./computing.ts";
export * from "./config.ts";
export * from "./grid.ts";
export * from "./hash.ts";
export * from "./paths.ts";
export * from "./random.ts";
export * from "./tied_command.ts";
