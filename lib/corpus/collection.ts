import { join } from "@std/path";
import { type Config, limited, paths } from "../config/mod.ts";
import { writePhantomCorpora } from "../phantom/mod.ts";
import { isThere } from "./files.ts";
import type { Corpus, CorpusRecord } from "./record.ts";
import { SPLITS } from "./record.ts";
import { orderBySeed } from "./splits.ts";

/** What each data set's folder must hold. */
const NEEDED: Record<string, string> = {
  slake: "train.json, validate.json, test.json and imgs/",
  pmc_vqa: "train_2.csv, test_2.csv, test_clean.csv, images/ and images_2/",
  roco_v2: "{train,valid,test}_captions.csv and {train,valid,test}/",
  medpix2: "Descriptions.json, Case_topic.json, splitted_dataset/ and images/",
};

/**
 * The folder with slake/, pmc_vqa/, roco_v2/ and medpix2/. With `corpora.source` "phantom" they are drawn into
 * data/local/phantom first (a few seconds, once); with "real" they must lie in data/local.
 * @throws naming the missing data sets, what belongs there and how to get it
 */
export async function corporaFolder(config: Config): Promise<string> {
  if (config.corpora.source === "phantom") {
    return (await writePhantomCorpora(join(paths.local, "phantom"), { seed: config.seed })).dir;
  }
  const missing: string[] = [];
  for (const name of Object.keys(NEEDED)) if (!(await isThere(join(paths.local, name)))) missing.push(name);
  if (missing.length > 0) {
    throw new Error(
      `Expected the data sets under ${paths.local}; missing: ` +
        missing.map((name) => `${name}/ with ${NEEDED[name]} (./lab data ${name})`).join("; ") +
        ". LAB_DATA_LOCAL names another folder.",
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
