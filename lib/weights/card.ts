import { join } from "@std/path";
import { z } from "zod";

/** What users must be told of a model. */
export interface ModelCard {
  /** A demonstration model: its answers mean nothing outside the lesson. */
  demonstration: boolean;
  /** Shown beside every answer; null where there is nothing to say. */
  notice: string | null;
}

/** The notice of a demonstration model that brings none of its own. */
export const DEMONSTRATION_NOTICE =
  "demonstration model trained on synthetic images; the answer has no medical meaning";

const CardFile = z.looseObject({ demonstration: z.boolean(), notice: z.string().nullable().default(null) });

/** The card of a checkpoint: lab_card.json, else the front matter of README.md, else an empty card. */
export async function readCard(dir: string): Promise<ModelCard> {
  const json = await readIfThere(join(dir, "lab_card.json"));
  let demonstration = false, notice: string | null = null;
  if (json !== null) {
    const parsed = CardFile.safeParse(safeJson(json));
    if (!parsed.success) {
      throw new Error(
        `${join(dir, "lab_card.json")}: expected {"demonstration": boolean, "notice": string or null}.`,
      );
    }
    ({ demonstration, notice } = parsed.data);
  } else {
    const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(await readIfThere(join(dir, "README.md")) ?? "")?.[1] ??
      "";
    const value = (key: string) => new RegExp(`^${key}:[ \t]*(.+?)[ \t]*$`, "m").exec(front)?.[1];
    demonstration = value("demonstration") === "true";
    notice = value("notice")?.replace(/^(["'])(.*)\1$/, "$2") ?? null;
  }
  return { demonstration, notice: notice ?? (demonstration ? DEMONSTRATION_NOTICE : null) };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A file's text, or null where there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
