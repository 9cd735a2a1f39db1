import { z } from "zod";
import type { StageInput, StageRun } from "../artifacts/mod.ts";
import { type Copy } from "./copies.ts";
import { TURN_NAMES } from "./turns.ts";

/** A row of the table `copies`: two images that show the same picture, and how. */
export const CopyRow = z.object({
  /** Id of one image. */
  a: z.string(),
  /** Id of the other. */
  b: z.string(),
  /** "upright", "mirrored left to right, negative", ... */
  how: z.string(),
  /** How well the two agree once aligned, 1 at most. */
  score: z.number(),
});
/** A row that {@linkcode CopyRow} accepts. */
export type CopyRow = z.infer<typeof CopyRow>;

/** What a person is told of copies. */
export const copyRows = (copies: readonly Copy[]): CopyRow[] =>
  copies.map(({ a, b, turn, negative, score }) => (
    { a, b, how: negative ? `${TURN_NAMES[turn]}, negative` : TURN_NAMES[turn], score }
  ));

/** Writes them as table `copies`. */
export const writeCopies = (run: Pick<StageRun, "writeTable">, rows: readonly CopyRow[]): Promise<unknown> =>
  run.writeTable("copies", rows, CopyRow);

/** The copies that a run of 01_data wrote. */
export const readCopies = ({ table }: Pick<StageInput, "table">): Promise<CopyRow[]> =>
  table("copies", CopyRow);
