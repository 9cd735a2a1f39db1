import type { Row, StageInput } from "../artifacts/mod.ts";
import type { CorpusRecord } from "./record.ts";

/** A record as a table row: `context` as JSON. */
export type RecordRow = Omit<CorpusRecord, "context"> & { context: string | null };

/** Records as rows of a table. */
export function recordRows(records: readonly CorpusRecord[]): RecordRow[] {
  return records.map((record) => ({
    ...record,
    context: record.context && JSON.stringify(record.context),
  }));
}

/** The records that a run of 01_data wrote. */
export async function corpusRecords(input: StageInput): Promise<CorpusRecord[]> {
  const rows = await input.table<RecordRow & Row>("records");
  return rows.map((row) => ({ ...row, context: row.context === null ? null : JSON.parse(row.context) }));
}
