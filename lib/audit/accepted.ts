import { join } from "@std/path";
import { z } from "zod";
import { paths } from "../config/mod.ts";
import type { ImagePair } from "./pictures.ts";

const Accepted = z.array(z.strictObject({ a: z.string(), b: z.string(), why: z.string().min(1) }));
/** A pair of images that somebody looked at and found to be two pictures, with the reason. */
export type AcceptedPair = z.infer<typeof Accepted>[number];

/**
 * Parts found pairs into those that count and those that a person has accepted as two pictures.
 * @param file a JSON list of {a, b, why}, by image id
 * @throws when the file is not such a list
 */
export async function partAccepted<Pair extends ImagePair>(
  pairs: readonly Pair[],
  file: string = join(paths.root, "data", "accepted_lookalikes.json"),
): Promise<{ found: Pair[]; accepted: (Pair & { why: string })[] }> {
  const list = await readAccepted(file), key = ({ a, b }: ImagePair) => JSON.stringify([a, b].sort());
  const whys = new Map(list.map((pair) => [key(pair), pair.why]));
  return {
    found: pairs.filter((pair) => !whys.has(key(pair))),
    accepted: pairs.filter((pair) => whys.has(key(pair))).map((pair) => ({
      ...pair,
      why: whys.get(key(pair))!,
    })),
  };
}

async function readAccepted(file: string): Promise<AcceptedPair[]> {
  try {
    return Accepted.parse(JSON.parse(await Deno.readTextFile(file)));
  } catch (cause) {
    throw new Error(
      `${file}: expected a JSON list of {"a": image id, "b": image id, "why": text}; ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
}
