import { makeFolder } from "../config/mod.ts";
import type { DatasetManifest } from "./manifest.ts";
import { readReceipt, type Receipt, writeReceipt } from "./receipt.ts";

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
