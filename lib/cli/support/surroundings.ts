import { basename, join, resolve } from "@std/path";
import { currentManifest, Manifest } from "../../artifacts/mod.ts";
import { type Config, paths, type Scale } from "../../config/mod.ts";
import { ownSetNames } from "../../corpus/mod.ts";
import { checkFolder, freeBytes, isAccepted, readManifest, readReceipt } from "../../download/mod.ts";
import { listNotebooks } from "./notebooks.ts";
import { nvidiaGpus } from "./programs.ts";
import { type ModelFacts, type NeededDataset, PUBLISHED, type Surroundings } from "./plan.ts";

/** The real data sets that the notebooks read (lib/corpus corporaFolder). */
export const NEEDED_DATASETS = ["slake", "pmc_vqa", "roco_v2", "medpix2"];

/** Looks at this machine and at what is in data/. Asks no server. */
export async function lookAround(config: Config): Promise<Surroundings> {
  const env = (name: string) => Boolean(Deno.env.get(name));
  return {
    model: await modelFacts(config.model.checkpoint),
    datasets: config.corpora.source === "real" ? await Promise.all(NEEDED_DATASETS.map(neededDataset)) : [],
    own: await ownSets(config),
    freeDisk: await freeBytes(await isThere(paths.local) ? paths.local : paths.root),
    memory: Deno.systemMemoryInfo(),
    gpus: await nvidiaGpus(),
    times: await measuredTimes(config.scale, config.limit),
    hasToken: env("HF_TOKEN"),
    servers: { teacher: env("TEACHER_URL"), judge: env("JUDGE_URL") },
  };
}

const isThere = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

async function ownSets(config: Config): Promise<Surroundings["own"]> {
  const known = await ownSetNames();
  return config.corpora.own.map((name) => ({ name, here: known.includes(name) }));
}

async function neededDataset(name: string): Promise<NeededDataset> {
  const manifest = await readManifest(join(paths.data, "datasets"), name), dir = join(paths.local, name);
  const { state } = await checkFolder(manifest, dir);
  return { manifest, state, accepted: isAccepted(manifest, await readReceipt(dir)) };
}

/** A folder is here, with the parameters that its measurement.json tells; of the hub's models what PUBLISHED says. */
async function modelFacts(checkpoint: string): Promise<ModelFacts> {
  const folder = await isThere(resolve(checkpoint)) ? resolve(checkpoint) : resolve(paths.root, checkpoint);
  if (await isThere(folder)) {
    const { parameters } = await Deno.readTextFile(join(folder, "measurement.json")).then(
      JSON.parse,
      () => ({}),
    );
    return {
      parameters: typeof parameters === "number" ? parameters : null,
      downloadBytes: 0,
      downloadKnown: "exact",
      here: true,
      licence: folder === join(paths.data, "nano") ? "Apache-2.0, in the repository" : `as in ${checkpoint}`,
      gated: false,
    };
  }
  const known = PUBLISHED[checkpoint] ??
    { parameters: null, licence: "see its page on the hub", gated: false };
  const marker = `${checkpoint.replace("/", "--")}${
    checkpoint.includes("@") ? "" : "@main"
  }/lab_download.json`;
  return {
    ...known,
    // published in float32 as far as is known: four bytes each
    downloadBytes: known.parameters === null ? null : known.parameters * 4,
    downloadKnown: "estimate",
    here: await isThere(join(paths.local, "models", marker)),
  };
}

/** Seconds of each notebook: of this machine's last run, else of the recorded one, at the same scale and limit. */
async function measuredTimes(scale: Scale, limit: number | null): Promise<Surroundings["times"]> {
  const times: { stage: string; seconds: number; remark: string }[] = [];
  for (const notebook of await listNotebooks()) {
    const stage = basename(notebook, ".ipynb");
    const own = await currentManifest(stage, scale).catch(() => null);
    const recorded = await recordedManifest(stage, scale);
    const [manifest, remark] = own?.manifest.limit === limit
      ? [own.manifest, `last run here, ${own.manifest.device}`]
      : [recorded, `recorded run on 2 CPU cores`];
    if (manifest && manifest.limit === limit) times.push({ stage, seconds: manifest.seconds, remark });
  }
  return times;
}

async function recordedManifest(stage: string, scale: Scale): Promise<Manifest | null> {
  const file = join(paths.root, "results", scale, "manifests", `${stage}.json`);
  const parsed = Manifest.safeParse(await Deno.readTextFile(file).then(JSON.parse, () => null));
  return parsed.success ? parsed.data : null;
}
