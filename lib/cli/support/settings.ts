import { type Config, loadConfig, Scale } from "../../config/mod.ts";
import { UsageError } from "../command.ts";

/** Options of the commands that run or look at a configuration, with their lines of help. */
export const configOptions = { values: ["scale", "limit"], lists: ["set"] } as const;
export const scaleHelp =
  "  --scale   tiny (phantoms, nano model; the default) or full (the paper's data and model)";
export const limitHelp = "  --limit   at most N rows and steps of everything; the run is marked as limited";
export const setHelp =
  "  --set     KEY=VALUE, any key of lib/config/config.ts, such as stage2.rank=4 or seed=7; may be repeated";

/**
 * The configuration asked for, and the environment variables that give it to a kernel. Settings of LAB_SET are kept, those
 * of the command line come after them.
 *
 * @throws {UsageError} when an option is not understood.
 */
export function readConfig(
  options: { scale?: string; limit?: string; set: string[] },
): { config: Config; env: { SCALE: Scale; LIMIT: string; LAB_SET: string } } {
  const asked = options.scale ?? Deno.env.get("SCALE") ?? "tiny", scale = Scale.safeParse(asked);
  if (!scale.success) {
    const named = options.scale === undefined ? "SCALE" : "--scale";
    throw new UsageError(`${named} is "${asked}"; expected tiny or full.`);
  }
  if (options.limit !== undefined && !/^[1-9]\d*$/.test(options.limit)) {
    throw new UsageError(`--limit is "${options.limit}"; expected a positive whole number.`);
  }
  const settings = [Deno.env.get("LAB_SET") ?? "", ...options.set].filter(Boolean).join("\n");
  const env = { SCALE: scale.data, LIMIT: options.limit ?? Deno.env.get("LIMIT") ?? "", LAB_SET: settings };
  try {
    return { config: loadConfig(env), env };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
