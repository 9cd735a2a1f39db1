/** The run that a site shows: this installation's own tiny run where it is whole, else the recorded one. */
import { exists } from "@std/fs";
import { basename, join } from "@std/path";
import { z } from "zod";
import { currentManifest, type FinishedRun, Manifest, readCurrent } from "../../artifacts/mod.ts";
import { paths, sha256 } from "../../config/mod.ts";
import { executedCopy, failedCopy, listNotebooks } from "./notebooks.ts";

/** A notebook of the course with what its run left. */
export interface SiteStage {
  /** "05_stage2" */
  name: string;
  /** The notebook as it was executed. */
  notebook: string;
  run: Pick<FinishedRun, "manifest" | "hash">;
  /** Where an output of the run lies; the path need not exist, since not all outputs are recorded. */
  file(output: string): string;
}

/** What a site is made of. */
export interface SiteSource {
  kind: "local" | "recorded";
  stages: SiteStage[];
  /** What a reader must know: why it is not another run, and what of it does not fit together. Sentences. */
  notes: string[];
}

const LOCAL = { scale: "tiny", results: paths.results } as const;

/** A stage of the local run; a sentence that says why it is not whole; null if it has not run. */
async function localStage(notebook: string): Promise<SiteStage | string | null> {
  const name = basename(notebook, ".ipynb"), executed = executedCopy(notebook, LOCAL);
  try {
    const run = await currentManifest(name, "tiny");
    if (!run) return null;
    if (run.manifest.limit !== null) return `${name} is limited to ${run.manifest.limit} rows.`;
    if (await exists(failedCopy(notebook, LOCAL))) return `${name} failed when it ran last.`;
    const { mtime } = await Deno.stat(executed);
    if (mtime && mtime.getTime() < Date.parse(run.manifest.started)) {
      return `The executed copy of ${name} is of an earlier run.`;
    }
    return { name, notebook: executed, run, file: (output) => join(run.dir, output) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `The executed copy of ${name} is missing.`;
    return error instanceof Error ? error.message : String(error);
  }
}

/** A stage of the recorded run (see record.ts). @throws Error when it was not recorded */
async function recordedStage(notebook: string, folder: string): Promise<SiteStage> {
  const name = basename(notebook, ".ipynb"), executed = join(folder, "notebooks", `${name}.ipynb`);
  const path = join(folder, "manifests", `${name}.json`);
  if (!await exists(executed) || !await exists(path)) {
    throw new Error(
      `${folder} has no recorded run of ${name}: restore it, or record one (./lab demo --record).`,
    );
  }
  const text = await Deno.readTextFile(path),
    run = { manifest: Manifest.parse(JSON.parse(text)), hash: sha256(text) };
  const place = (output: string) => output.startsWith("figures/") ? output : join("tables", name, output);
  return { name, notebook: executed, run, file: (output) => join(folder, place(output)) };
}

const Notebook = z.object({
  cells: z.array(z.object({ source: z.union([z.string(), z.array(z.string())]) })),
});

/** The source of every cell of a notebook. */
async function cellSources(path: string): Promise<string> {
  const { cells } = Notebook.parse(JSON.parse(await Deno.readTextFile(path)));
  return JSON.stringify(cells.map(({ source }) => [source].flat().join("")));
}

/** What is read of a run's configuration. */
const Own = z.object({ corpora: z.object({ own: z.array(z.string()) }) });

/** What a reader must know of a run: notebooks that changed since, inputs of other runs, several configurations, own data. */
async function doubts(stages: readonly SiteStage[], notebooks: readonly string[]): Promise<string[]> {
  const hashes = new Map(stages.map(({ name, run }) => [name, run.hash])), found: string[] = [];
  for (const [i, { name, notebook, run: { manifest } }] of stages.entries()) {
    if (await cellSources(notebook) !== await cellSources(notebooks[i])) {
      found.push(`The notebook ${name} has been changed since it ran.`);
    }
    for (const [input, { manifestSha256 }] of Object.entries(manifest.inputs)) {
      if (hashes.get(input) !== manifestSha256) {
        found.push(`${name} was made from another run of ${input} than the one shown here: it is stale.`);
      }
    }
    if (manifest.acceptedStale.length > 0) {
      found.push(`${name} was made from inputs known to be stale (${manifest.acceptedStale.join(", ")}).`);
    }
  }
  if (new Set(stages.map(({ run }) => run.manifest.configHash)).size > 1) {
    found.push("The notebooks ran with different configurations.");
  }
  const own = new Set(stages.flatMap(({ run }) => Own.parse(run.manifest.config).corpora.own));
  if (own.size > 0) {
    found.push(
      `It holds data sets of the user's own (${[...own].join(", ")}): mind who may see these pages.`,
    );
  }
  return found;
}

/** The recorded run, with the sentences that say why it is shown. */
async function recordedSource(notebooks: readonly string[], why: readonly string[]): Promise<SiteSource> {
  const folder = join(paths.root, "results", "tiny");
  const stages = await Promise.all(notebooks.map((notebook) => recordedStage(notebook, folder)));
  return { kind: "recorded", stages, notes: [...why, ...await doubts(stages, notebooks)] };
}

/**
 * The run to show: the last tiny run of this installation if all notebooks have a whole one, else the recorded run.
 *
 * @param recorded the recorded run, whatever is here
 * @throws Error, one sentence, when the recorded run is wanted and not whole
 */
export async function siteSource({ recorded }: { recorded: boolean }): Promise<SiteSource> {
  const notebooks = await listNotebooks();
  if (recorded) return await recordedSource(notebooks, []);
  const found = await Promise.all(notebooks.map(localStage));
  const stages = found.filter((one) => typeof one === "object" && one !== null);
  if (stages.length < notebooks.length) {
    const why = found.map((one, i) => one ?? `${basename(notebooks[i], ".ipynb")} has not run.`)
      .filter((one) => typeof one === "string").join(" ");
    const begun = found.some((one) => one !== null);
    return await recordedSource(
      notebooks,
      begun ? [`The run of this installation is not whole and is not shown: ${why}`] : [],
    );
  }
  const chosen: string[] = [];
  for (const { name, run } of stages) {
    if ((await readCurrent(name, "tiny"))?.chosen) {
      chosen.push(
        `A person chose the run ${run.manifest.run} of ${name}; its executed notebook may be of another run.`,
      );
    }
  }
  return { kind: "local", stages, notes: [...chosen, ...await doubts(stages, notebooks)] };
}
