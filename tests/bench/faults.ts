import { join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";
import { describeMachine, machine } from "./machine.ts";
import { writeBench } from "./files.ts";
import { archives, replies } from "./faults/getting_in.ts";
import { kills } from "./faults/kills.ts";
import { modelFiles } from "./faults/model_files.ts";
import { notebookKills } from "./faults/notebook_kills.ts";
import { pictures } from "./faults/pictures.ts";
import { processes } from "./faults/processes.ts";
import { processors } from "./faults/processors.ts";
import { tables } from "./faults/tables.ts";
import { trainingKills } from "./faults/training_kills.ts";

/** What a campaign found. */
export interface Outcome {
  /** How many faults were tried. */
  tried: number;
  /** How many of them did harm. */
  failed: number;
  /** A sentence for each failure, and what else is worth knowing. */
  details: string[];
}

/** Faults of one kind, inflicted many times. */
export interface Campaign {
  readonly name: string;
  /** One line: what is done, and what counts as failed. */
  readonly describe: string;
  /** How many are tried when the user does not say. */
  readonly count: number;
  run(count: number, signal: AbortSignal): Promise<Outcome>;
}

/** The campaigns. */
export const CAMPAIGNS: readonly Campaign[] = [
  archives,
  kills,
  modelFiles,
  notebookKills,
  pictures,
  processes,
  processors,
  replies,
  tables,
  trainingKills,
];

const Row = z.strictObject({
  campaign: z.string(),
  describe: z.string(),
  tried: z.number(),
  failed: z.number(),
  seconds: z.number(),
  at: z.string(),
  machine: z.string(),
  details: z.array(z.string()),
});
type Row = z.infer<typeof Row>;

/** Rows of earlier campaigns, which a new run of another one keeps. */
async function earlierRows(): Promise<Row[]> {
  try {
    const text = await Deno.readTextFile(join(paths.results, "bench", "faults.json"));
    return z.array(Row).parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new Error("results/local/bench/faults.json is damaged: remove it and run the campaigns again.", {
      cause: error,
    });
  }
}

function faultsText(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    `| \`./lab bench faults ${row.campaign}\` | ${row.describe} | ${row.tried} | ${row.failed} | ${
      row.seconds.toFixed(0)
    } | ${row.at.slice(0, 10)} |`
  );
  const details = rows.filter((row) => row.details.length).map((row) =>
    `\n## ${row.campaign}\n\n${row.details.map((detail) => `- ${detail}`).join("\n")}\n`
  );
  const machines = [...new Set(rows.map((row) => row.machine))].join("; ");
  return `# Faults inflicted on purpose

| command | what is done, and what counts as failed | tried | failed | seconds | date |
|---|---|---|---|---|---|
${lines.join("\n")}
${details.join("")}
${machines}.
`;
}

/** Runs campaigns one after another and keeps a table of them; ends early, with what was tried so far, on `signal`. */
export async function benchFaults(
  campaigns: readonly Campaign[],
  count: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const where = describeMachine(await machine());
  let failures = 0;
  for (const campaign of campaigns) {
    signal.throwIfAborted();
    const start = performance.now();
    const { tried, failed, details } = await campaign.run(count ?? campaign.count, signal);
    const row: Row = {
      campaign: campaign.name,
      describe: campaign.describe,
      tried,
      failed,
      seconds: (performance.now() - start) / 1000,
      at: new Date().toISOString(),
      machine: where,
      details,
    };
    const rows = [...(await earlierRows()).filter((old) => old.campaign !== campaign.name), row];
    rows.sort((a, b) => a.campaign.localeCompare(b.campaign));
    const place = await writeBench("faults", rows, faultsText(rows));
    console.log(`${campaign.name}: ${tried} tried, ${failed} failed (${row.seconds.toFixed(0)} s); ${place}`);
    for (const detail of details) console.log(`  ${detail}`);
    failures += failed;
  }
  if (failures > 0) throw new Error(`${failures} faults did harm; the table names them.`);
}
