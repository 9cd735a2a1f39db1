/** Configuration per scale, the grid of stage 2, paths, seeds, hashes, files written whole or not at all, threads, and processes that train together. */
export * from "./atomic.ts";
export * from "./computing.ts";
export * from "./config.ts";
export * from "./grid.ts";
export * from "./hash.ts";
export * from "./paths.ts";
export * from "./random.ts";
export * from "./tied_command.ts";
export * from "./worker_pool.ts";
export * from "./workers.ts";
