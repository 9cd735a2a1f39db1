import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { getDataset, listDatasets, verify } from "./support/datasets.ts";

export const usage = `usage: ./lab data [NAME] [--yes] [--verify]

Without NAME: the data sets, whether they are here, their size and licence. With NAME: shows its licence, asks once,
downloads what is missing to data/local/NAME, checks and unpacks it. What came is kept, whatever happens: run it again to
go on. What a person must fetch is said step by step, and checked afterwards. Archives are deleted once unpacked.
  --yes      you have read the licence and accept it (for scripts)
  --verify   hash every file again and compare with what came`;

/** @param folders where manifests and data sets lie; tests have their own */
export async function run(
  args: string[],
  folders = { manifests: join(paths.data, "datasets"), local: paths.local },
): Promise<void> {
  const { options, rest: [name] } = readArgs(args, { switches: ["yes", "verify"], positional: [0, 1] });
  if (name === undefined) {
    if (options.yes || options.verify) {
      throw new UsageError("--yes and --verify need the NAME of a data set.");
    }
    console.log(await listDatasets(folders));
  } else if (options.verify) await verify(name, folders);
  else await getDataset(name, folders, options.yes);
}
