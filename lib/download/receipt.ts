import { join } from "@std/path";
import { z } from "zod";
import { makeFolder, writeFileAtomicSync } from "../config/mod.ts";
import type { DatasetManifest } from "./manifest.ts";

const File = z.strictObject({
  /** Without its query. */
  url: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  at: z.string(),
  /** For an archive, which is deleted once it is unpacked: its folder, and the list of hashes beside it. */
  unpacked: z.strictObject({ into: z.string(), files: z.number(), bytes: z.number() }).optional(),
});

/** What this machine knows of a data set: the licence accepted, and each file as it first came. */
export const Receipt = z.strictObject({
  accepted: z.strictObject({ licence: z.string(), url: z.string(), at: z.string() }).nullable(),
  /** `owner/name@revision` -> commit of the first download; later ones are of the same. */
  commits: z.record(z.string(), z.string()),
  /** Paths of all files that the data set has, as its sources listed them when a download began. */
  wanted: z.array(z.string()),
  files: z.record(z.string(), File),
});
/** What was fetched, with sizes and hashes. */
export type Receipt = z.infer<typeof Receipt>;

const receiptPath = (dir: string) => join(dir, "receipt.json");

/** The receipt of a data set's folder; an empty one where there is none. @throws naming the file, when it is damaged */
export async function readReceipt(dir: string): Promise<Receipt> {
  let text: string;
  try {
    text = await Deno.readTextFile(receiptPath(dir));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { accepted: null, commits: {}, wanted: [], files: {} };
    throw error;
  }
  try {
    return Receipt.parse(JSON.parse(text));
  } catch {
    throw new Error(
      `${receiptPath(dir)}: expected a receipt of ./lab data, found other text. Delete it to begin anew.`,
    );
  }
}

/** Writes the receipt whole or not at all, into a folder that is there; synchronous, so that two downloads do not write at once. */
export function writeReceipt(dir: string, receipt: Receipt): void {
  writeFileAtomicSync(receiptPath(dir), JSON.stringify(receipt, null, 1) + "\n");
}

/** Whether the manifest's licence needs no acceptance, or was accepted as it is now. */
export function isAccepted({ licence }: DatasetManifest, { accepted }: Receipt): boolean {
  return !licence.mustAccept || (accepted?.licence === licence.name && accepted.url === licence.url);
}

/** Remembers that the licence was accepted. */
export async function acceptLicence({ licence }: DatasetManifest, dir: string): Promise<void> {
  const accepted = { licence: licence.name, url: licence.url, at: new Date().toISOString() };
  await makeFolder(dir);
  writeReceipt(dir, { ...(await readReceipt(dir)), accepted });
}

/** @throws naming the command that asks */
export function requireAcceptance(manifest: DatasetManifest, receipt: Receipt): void {
  if (!isAccepted(manifest, receipt)) {
    throw new Error(`The licence of ${manifest.name} is not accepted: run ./lab data ${manifest.name}.`);
  }
}
