import type { Command } from "./command.ts";

/** The commands; each is loaded only when it is called. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  answer: () => import("./answer.ts"),
  ask: () => import("./ask.ts"),
  audit: () => import("./audit.ts"),
  bench: () => import("./bench.ts"),
  data: () => import("./data.ts"),
  demo: () => import("./demo.ts"),
  doctor: () => import("./doctor.ts"),
  evaluate: () => import("./evaluate.ts"),
  export: () => import("./export.ts"),
  open: () => import("./open.ts"),
  plan: () => import("./plan.ts"),
  "pretrain-nano": () => import("./pretrain_nano.ts"),
  rehearse: () => import("./rehearse.ts"),
  review: () => import("./review.ts"),
  run: () => import("./run.ts"),
  runs: () => import("./runs.ts"),
  serve: () => import("./serve.ts"),
  site: () => import("./site.ts"),
  test: () => import("./test.ts"),
  train: () => import("./train.ts"),
};
