import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { OWN_COLUMNS, removeOwnSet } from "../corpus/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { getDataset, listDatasets, verify } from "./support/datasets.ts";
import { addOwn, listOwn } from "./support/own_data.ts";

export const usage = `usage: ./lab data [NAME] [--yes] [--verify]
       ./lab data add FOLDER|TABLE --name NAME [--resplit] [--image COLUMN] [--question COLUMN] ...
       ./lab data rm NAME

Without NAME: the data sets, whether they are here, their size and licence. With NAME: shows its licence, asks once,
downloads what is missing to data/local/NAME, checks and unpacks it. What came is kept, whatever happens: run it again to
go on. What a person must fetch is said step by step, and checked afterwards. Archives are deleted once unpacked.
  --yes      you have read the licence and accept it (for scripts)
  --verify   hash every file again and compare with what came
With add: reads your own questions about your own images (CSV, TSV, JSON, JSON lines, Parquet, or a folder of them) and
every image, shows what was understood and what was dropped, and registers them; ./lab run and demo then train on them and
ask about them with --set 'corpora.own=["NAME"]'. rm forgets them; your files stay. What a column is, where its name does
not say it: --image, --question, --answer, --choices, --split, --language, --id, --case (the patient).
  --resplit  split anew by image and case, 80 : 10 : 10`;

/** @param folders where manifests and data sets lie; tests have their own */
export async function run(
  args: string[],
  folders = { manifests: join(paths.data, "datasets"), local: paths.local },
): Promise<void> {
  const { options, rest: [name, own, ...more] } = readArgs(args, {
    values: ["name", ...OWN_COLUMNS],
    switches: ["yes", "verify", "resplit"],
    positional: [0, 3],
  });
  const elsewhere = name === "add"
    ? ["yes", "verify"] as const
    : ["name", "resplit", ...OWN_COLUMNS] as const;
  const astray = elsewhere.find((option) => options[option]);
  if (astray) {
    throw new UsageError(`--${astray} does not go with "${["data", name].filter(Boolean).join(" ")}".`);
  }
  if (name === "add" || name === "rm") {
    if (own === undefined || more.length > 0) throw new UsageError(`"data ${name}" needs one more argument.`);
    if (name === "rm") {
      await removeOwnSet(own, folders.local);
      return console.log(`${own} is forgotten; its files stay where they are.`);
    }
    if (options.name === undefined) throw new UsageError('"data add" needs --name NAME.');
    return await addOwn(options.name, own, options, folders.local);
  }
  if (own !== undefined) throw new UsageError(`expected one data set, found ${name} and ${own}.`);
  if (name === undefined) {
    if (options.yes || options.verify) {
      throw new UsageError("--yes and --verify need the NAME of a data set.");
    }
    console.log([await listDatasets(folders), ...await listOwn(folders.local)].join("\n"));
  } else if (options.verify) await verify(name, folders);
  else await getDataset(name, folders, options.yes);
}
