import { join, resolve } from "@std/path";
import { paths } from "../config/mod.ts";
import { readArgs } from "./command.ts";
import { formatBytes } from "./support/bytes.ts";
import { shownPath } from "./support/shown_path.ts";
import { writeSite } from "./support/site.ts";
import { replaceSite } from "./support/site_folder.ts";
import { siteSource } from "./support/site_source.ts";

export const usage = `usage: ./lab site [--recorded] [--out FOLDER]

Makes static pages of the executed course that work from the disk, without a server and without network: the notebooks with
mathematics and interactive figures, the pages, tables and figures that the run made, and a search over their texts.
Shows the last tiny run of this installation if all notebooks have run to their end, else the recorded run (results/tiny), and
says which.
  --recorded   the recorded run, whatever is here
  --out        results/local/site if not said otherwise; a site that is there is replaced as a whole, nothing else is`;

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, { values: ["out"], switches: ["recorded"] });
  const out = resolve(options.out ?? join(paths.results, "site"));
  const source = await siteSource(options);
  const { files, bytes } = await replaceSite(out, {
    write: (folder) => writeSite(source, folder),
    open: source.kind === "recorded", // answers about patients' images may be in a run of one's own
  });
  for (const note of source.notes) console.error(note);
  const shown = source.kind === "local" ? "the last tiny run" : "the recorded run";
  console.log(
    `${files} files, ${formatBytes(bytes)}, of ${shown}. Open ${
      shownPath(join(out, "index.html"))
    } in a browser.`,
  );
}
