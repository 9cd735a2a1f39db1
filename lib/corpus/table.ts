import { z } from "zod";
import type { StageInput, StageRun } from "../artifacts/mod.ts";
import { type Corpus, CorpusRecord } from "./record.ts";

/** A record as a table row: `context` as JSON. */
const RecordRow = CorpusRecord.extend({ context: z.string().nullable() });

/** Writes the records of each data set as a table of its own, `records_<dataset>`. */
export async function writeRecords(
  run: Pick<StageRun, "writeTable">,
  corpora: readonly Pick<Corpus, "dataset" | "records">[],
): Promise<void> {
  for (const { dataset, records } of corpora) {
    const rows = records.map((record) => ({
      ...record,
      context: record.context && JSON.stringify(record.context),
    }));
    await run.writeTable(`records_${dataset}`, rows, RecordRow);
  }
}

/** The records of all data sets that a run of 01_data wrote. */
export async function corpusRecords(
  { manifest, table }: Pick<StageInput, "manifest" | "table">,
): Promise<CorpusRecord[]> {
  const names = Object.keys(manifest.outputs).flatMap((file) =>
    /^(records_.+)\.arrow$/.exec(file)?.[1] ?? []
  );
  const tables = await Promise.all(names.map((name) => table(name, RecordRow)));
  return tables.flat().map((row) => ({
    ...row,
    context: row.context === null ? null : JSON.parse(row.context),
  }));
}
