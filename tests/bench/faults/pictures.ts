import { join } from "@std/path";
import { paths, rng, tiedCommand } from "@lib/config/mod.ts";
import { linesOf } from "@lib/cli/support/lines.ts";
import type { Campaign } from "../faults.ts";
import type { Read } from "./picture_reader.ts";

/** Seconds after which a file counts as hung, and resident bytes above which it took too much. */
const SECONDS = 20, BYTES = 2 * 2 ** 30;

/** Undamaged pictures of every kind that is read. */
const FIXTURES = join(paths.root, "tests", "image", "fixtures");
const FOLDERS = ["pictures", "upright", "deep", "dicom"];

/** Damages a picture file: the `index`-th of all damages, always the same. */
export function damaged(index: number, files: readonly string[]): { path: string; bytes: Uint8Array } {
  const random = rng(`damaged picture ${index}`), below = (n: number) => Math.floor(random() * n);
  const path = files[index % files.length];
  let bytes = Deno.readFileSync(path);
  for (let edits = 1 + below(6); edits > 0 && bytes.length > 0; edits--) {
    const at = below(random() < 0.5 ? Math.min(bytes.length, 400) : bytes.length), length = 1 + below(40);
    const kind = below(8);
    if (kind < 3) bytes[at] ^= 1 << below(8);
    else if (kind === 3) bytes.fill(random() < 0.5 ? 0 : 255, at, at + 1 + below(8));
    else if (kind === 4) bytes = bytes.slice(0, at);
    else if (kind === 5) bytes = concat(bytes.subarray(0, at), bytes.subarray(at + length));
    else if (kind === 6) bytes = concat(bytes.subarray(0, at + length), bytes.subarray(at));
    else bytes.set(bytes.slice(below(bytes.length)).subarray(0, Math.min(length, bytes.length - at)), at);
  }
  return { path, bytes };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** The picture files that are damaged, in the order of their names. */
export const pictureFiles = (): string[] =>
  FOLDERS.flatMap((folder) =>
    [...Deno.readDirSync(join(FIXTURES, folder))].map(({ name }) => join(FIXTURES, folder, name))
  ).filter((path) => !path.endsWith(".json")).sort();

/** Damaged pictures, decoded one after another by a process that is replaced when it hangs or dies. */
export const pictures: Campaign = {
  name: "pictures",
  describe:
    "PNG, JPEG, GIF, WebP, TIFF and DICOM files are damaged and decoded; failed: a crash, more than " +
    `${SECONDS} s or ${BYTES / 2 ** 30} GiB kept, or an error that is no sentence`,
  count: 1500,
  async run(count, signal) {
    const failures: string[] = [];
    let tried = 0, decoded = 0, slowest = 0, most = 0;
    while (tried < count && !signal.aborted) {
      const child = tiedCommand(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--quiet",
          join(import.meta.dirname!, "picture_reader.ts"),
          `${tried}`,
          `${count}`,
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
        signal,
      }).spawn();
      const kill = () => child.kill("SIGKILL");
      let patience = setTimeout(kill, 3 * SECONDS * 1000); // it has to start first
      for await (const line of linesOf(child.stdout)) {
        clearTimeout(patience);
        patience = setTimeout(kill, SECONDS * 1000);
        const read: Read = JSON.parse(line);
        tried++;
        if (read.problem) failures.push(`${read.name}, damage ${read.index}: ${read.problem}`);
        else if (read.bytes > BYTES) {
          failures.push(`${read.name}, damage ${read.index}: took ${read.bytes} bytes`);
        }
        if (read.isDecoded) decoded++;
        slowest = Math.max(slowest, read.ms);
        most = Math.max(most, read.bytes);
      }
      clearTimeout(patience);
      const { success, signal: killed } = await child.status;
      if (success || signal.aborted) continue;
      const end = killed === "SIGKILL"
        ? `took more than ${SECONDS} s`
        : `ended the process (${killed ?? "error"})`;
      failures.push(`damage ${tried} ${end}`);
      tried++;
    }
    const summary =
      `${decoded} of ${tried} were decoded in spite of the damage, the others refused in one sentence; ` +
      `the slowest took ${(slowest / 1000).toFixed(1)} s; at most ${
        Math.round(most / 2 ** 20)
      } MiB were resident after a file`;
    return { tried, failed: failures.length, details: [summary, ...failures.slice(0, 20)] };
  },
};
