import { join } from "@std/path";
import { type Config, limited, paths } from "../config/mod.ts";
import { checkFolder, readManifest } from "../download/mod.ts";
import { type PhantomCounts, writePhantomCorpora } from "../phantom/mod.ts";
import { type Corpus, type CorpusRecord, SPLITS } from "./record.ts";
import { orderBySeed } from "./splits.ts";

/** What the paper trains on. */
const TRAINED_ON = ["slake", "pmc_vqa", "roco_v2", "medpix2"];

/** Phantoms of a rehearsal: enough that a limit of some ten rows a split finds them. */
export const REHEARSAL_COUNTS: PhantomCounts = {
  slake: { train: 16, validation: 8, test: 8 },
  pmc_vqa: { train: 24, validation: 0, test: 24 },
  roco_v2: { train: 32, validation: 16, test: 16 },
  medpix2: { train: 16, validation: 8, test: 8 },
};

/**
 * The folder with slake/, pmc_vqa/, roco_v2/ and medpix2/. With `corpora.source` "phantom" they are drawn into
 * data/local/phantom first (a few seconds, once), with "rehearsal" fewer of them into data/local/rehearsal; with "real" they
 * must lie in data/local.
 * @throws naming the data sets that are not whole, what they lack and how to get it; the reason of `signal`, which ends the
 * drawing
 */
export async function corporaFolder(
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<string> {
  const { seed, corpora: { source } } = config;
  if (source !== "real") {
    const counts = source === "rehearsal" ? REHEARSAL_COUNTS : undefined;
    return (await writePhantomCorpora(join(paths.local, source), { seed, counts, signal })).dir;
  }
  const lacking: string[] = [];
  for (const name of TRAINED_ON) {
    const manifest = await readManifest(join(paths.data, "datasets"), name);
    const { state, missing } = await checkFolder(manifest, join(paths.local, name));
    if (state !== "ready") lacking.push(`${name}/ lacks ${missing.join(", ")} (./lab data ${name})`);
  }
  if (lacking.length > 0) {
    throw new Error(
      `Expected the data sets under ${paths.local}. ${
        lacking.join("; ")
      }. LAB_DATA_LOCAL names another folder.`,
    );
  }
  return paths.local;
}

/**
 * The corpus with at most `config.limit` rows a split, chosen by seed; as it is without a limit. Rows beyond the limit
 * are listed among the dropped ones.
 */
export function limitCorpus(corpus: Corpus, config: Config): Corpus {
  if (config.limit === null) return corpus;
  const chosen = new Set(
    SPLITS.flatMap((split) => {
      const ids = corpus.records.filter((r) => r.split === split).map((r) => r.id);
      return orderBySeed(ids, config.seed).slice(0, limited(ids.length, config));
    }),
  );
  const cut = corpus.records.filter((r) => !chosen.has(r.id))
    .map((r) => ({ reason: `beyond the limit of ${config.limit} rows a split`, where: r.id }));
  const records = corpus.records.filter((r) => chosen.has(r.id));
  return { ...corpus, records, dropped: [...corpus.dropped, ...cut] };
}

/** `count` records chosen by seed (fewer where there are fewer), whatever their order. */
export function sampleRecords(
  records: readonly CorpusRecord[],
  count: number,
  seed: number,
): CorpusRecord[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  return orderBySeed([...byId.keys()], seed).slice(0, count).map((id) => byId.get(id)!);
}
