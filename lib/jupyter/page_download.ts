import type { z } from "zod";

/** So many faulty rows are named in an error. */
const NAMED = 8;

/** A kind of file that a page lets a person download, for `./lab review`: review.json of the review page. */
export interface Download<T> {
  /** "review": the name of the file and of its page. */
  what: string;
  /** What its field `version` says. */
  version: number;
  /** What it holds. */
  schema: z.ZodType<T>;
}

/**
 * What a page has downloaded.
 *
 * @param file named in errors
 * @throws with one sentence if the text is not such a file, or of another version
 */
export function parseDownload<T>(text: string, file: string, { what, version, schema }: Download<T>): T {
  const expected = `${file}: expected a ${what}.json as the ${what} page downloads it`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${expected}, found no JSON.`);
  }
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const { version: other } = Object(value) as { version?: unknown };
  if (typeof other === "number" && other !== version) {
    throw new Error(`${file}: expected a ${what} of version ${version}, found version ${other}.`);
  }
  const faults = found.error.issues.slice(0, NAMED).map(({ path, message }) =>
    `${path.join(".")}: ${message}`
  );
  throw new Error(`${expected}; ${faults.join("; ")}.`);
}

/** Ids in a sentence, the first ones where there are many. */
export const listed = (ids: readonly string[]): string =>
  ids.slice(0, NAMED).join(", ") + (ids.length > NAMED ? ` and ${ids.length - NAMED} more` : "");
