import { createHash } from "node:crypto";

/** SHA-256 of bytes or of a text's UTF-8, as 64 hex digits. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 of a file's bytes, read in pieces, as 64 hex digits. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

/** JSON with keys in order, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined).sort((
      [a],
      [b],
    ) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * JSON of results.
 *
 * @throws on a number that is not finite, which JSON cannot hold: it would read as null, and count as 0
 */
export const finiteJson = (value: unknown): string =>
  JSON.stringify(value, (key, inner) => {
    if (typeof inner !== "number" || Number.isFinite(inner)) return inner;
    throw new RangeError(`Expected finite numbers in results, found ${inner} at "${key}".`);
  });

/** The leaves of a JSON value as text, by their places: `stage2.rank` -> `12`. A list is a leaf. */
export function jsonLeaves(value: unknown, place = ""): Map<string, string> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return new Map(value === undefined ? [] : [[place, JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...jsonLeaves(inner, place ? `${place}.${key}` : key)]),
  );
}
