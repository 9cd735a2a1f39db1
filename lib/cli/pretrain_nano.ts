import { basename, dirname, join, resolve } from "@std/path";
import { percent } from "../stats/mod.ts";
import { readArgs, UsageError } from "./command.ts";

export const usage = `usage: ./lab pretrain-nano DIR [--limit N]

Makes the nano base checkpoint again, in the new folder DIR: the vision tower on patch labels, then the rest on captions
and questions about drawn phantoms (about 15 minutes on 2 cores). The one in data/nano was made so.
  --limit   at most N steps of each of the two parts, to try it out`;

async function isFree(dir: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(dir)) return false;
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

export async function run(args: string[]): Promise<void> {
  const { options, rest: [name] } = readArgs(args, { values: ["limit"], positional: [1, 1] });
  if (options.limit !== undefined && !/^[1-9]\d*$/.test(options.limit)) {
    throw new UsageError(`--limit is "${options.limit}"; expected a positive whole number.`);
  }
  const dir = resolve(name);
  if (!await isFree(dir)) {
    throw new Error(`${dir} is not an empty folder: name a new one, or remove it first.`);
  }
  const { pretrainNano } = await import("../nano/mod.ts");
  const limit = options.limit === undefined ? Infinity : Number(options.limit);
  // Only a finished checkpoint gets the name.
  const unfinished = join(dirname(dir), `${basename(dir)}.tmp`);
  await Deno.remove(unfinished, { recursive: true }).catch(() => {});
  const { generic, shifted } = await pretrainNano(unfinished, (line) => console.log(line), {
    vision: Math.min(1500, limit),
    language: Math.min(2500, limit),
  });
  await Deno.rename(unfinished, dir);
  console.log(
    `${dir}: ${percent(generic.all.accuracy)} % right in the style of its training, ${
      percent(shifted.all.accuracy)
    } % in the style that the stages adapt it to. More in its README.md.`,
  );
}
