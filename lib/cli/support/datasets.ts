import { join, relative } from "@std/path";
import {
  acceptLicence,
  checkFolder,
  type DatasetManifest,
  downloadSize,
  fetchDataset,
  isAccepted,
  readManifest,
  readManifests,
  readReceipt,
  unpackedSize,
  verifyDataset,
} from "../../download/mod.ts";
import { formatBytes } from "./bytes.ts";
import { transferLine } from "./transfer_line.ts";
import { untilSignal } from "./until_signal.ts";

const STOPPED = "stopped; what came is kept: run the same command again to go on.";

/** Where manifests lie, and where data sets go. */
export interface DataFolders {
  manifests: string;
  local: string;
}

/** "about 216 MB", "34.5 MB", "unknown", "by hand". */
export function sizeText(manifest: DatasetManifest): string {
  const { bytes, exact } = downloadSize(manifest);
  if (manifest.files.length === 0) return "by hand";
  return bytes === null ? "unknown" : `${exact ? "" : "about "}${formatBytes(bytes)}`;
}

/** A table with state, size and licence of every data set. */
export async function listDatasets({ manifests, local }: DataFolders): Promise<string> {
  const rows = [["data set", "state", "download", "licence", ""]];
  for (const manifest of await readManifests(manifests)) {
    const { state } = await checkFolder(manifest, join(local, manifest.name));
    rows.push([manifest.name, state, sizeText(manifest), manifest.licence.name, manifest.title]);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd()).join("\n");
}

const commercial = (value: boolean | null): string =>
  value === null ? "not stated" : value ? "not allowed" : "allowed";

/** What a person should know before a data set is fetched. */
export function describe(manifest: DatasetManifest, dir: string): string {
  const { licence } = manifest, unpacked = unpackedSize(manifest);
  return [
    `${manifest.title} (${manifest.name})`,
    `  from      ${manifest.homepage}`,
    `  to cite   ${manifest.citation}`,
    `  licence   ${licence.name}: ${licence.url}`,
    `            ${licence.summary}`,
    `            Commercial use: ${commercial(licence.nonCommercial)}.`,
    `  download  ${sizeText(manifest)}${unpacked ? `, up to ${formatBytes(unpacked)} unpacked` : ""}`,
    `  goes to   ${dir}`,
    ...manifest.notes.map((note) => `  note      ${note}`),
  ].join("\n");
}

/**
 * Makes a data set ready: shows what it is, has its licence accepted once, fetches what is missing.
 * @param yes the licence was read and is accepted
 * @throws Error in words; after a signal too, and what came is kept then
 */
export async function getDataset(name: string, folders: DataFolders, yes: boolean): Promise<void> {
  const manifest = await readManifest(folders.manifests, name), dir = join(folders.local, name);
  const shown = relative(Deno.cwd(), dir);
  if ((await checkFolder(manifest, dir)).state === "ready") {
    return console.log(`${name} is ready in ${shown}.`);
  }
  console.log(describe(manifest, shown));
  if (!isAccepted(manifest, await readReceipt(dir))) {
    if (!yes && !Deno.stdin.isTerminal()) {
      throw new Error(
        `the licence of ${name} must be accepted first: run ./lab data ${name} in a terminal, or with --yes if you ` +
          `have read it (${manifest.licence.url}) and accept it.`,
      );
    }
    if (!yes && !confirm(`Do you accept the licence of ${name}?`)) {
      throw new Error(`the licence of ${name} was not accepted; nothing was fetched.`);
    }
    await acceptLicence(manifest, dir);
  }
  await untilSignal(STOPPED, async (signal) => {
    const line = transferLine();
    try {
      await fetchDataset(manifest, dir, {
        signal,
        onProgress: line.show,
        onWait: () => console.error(`Another ./lab data ${name} is running; waiting for it.`),
      });
    } finally {
      line.close();
    }
  });
  console.log(`${name} is ready in ${shown}.`);
}

/** Hashes a data set again. @throws listing what is not as it came */
export async function verify(name: string, folders: DataFolders): Promise<void> {
  const manifest = await readManifest(folders.manifests, name), dir = join(folders.local, name);
  const { recorded, same, changed, missing } = await untilSignal(
    STOPPED,
    (signal) => verifyDataset(dir, { signal }),
  );
  const lost = [...missing, ...(await checkFolder(manifest, dir)).missing];
  const list = (what: string, files: string[]) =>
    files.length === 0
      ? ""
      : ` ${files.length} ${what}: ${files.slice(0, 5).join(", ")}${files.length > 5 ? ", ..." : ""}.`;
  console.log(`${name}: ${same} files are as they came.`);
  if (recorded > 0) {
    console.log(
      `${recorded} files were put there by hand: their hashes are kept now, and compared next time.`,
    );
  }
  if (changed.length + lost.length > 0) {
    throw new Error(
      `${list("changed", changed)}${
        list("missing", lost)
      } Delete the changed ones and run ./lab data ${name} again.`
        .trim(),
    );
  }
}
