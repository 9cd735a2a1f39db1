import { type FilterQuality, filterQuality, labelledPairs } from "@lib/synthesis/labelled.ts";
import { percent } from "@lib/stats/mod.ts";
import { writeBench } from "./files.ts";

const share = (of: FilterQuality["recall"]) =>
  of === null ? "–" : `${percent(of.estimate)} [${percent(of.low)}, ${percent(of.high)}]`;

/** What the rules do with labelled pairs about real images (lib/synthesis labelledPairs): tables in results/local/bench. */
export async function benchFilters(dir: string): Promise<void> {
  const pairs = await labelledPairs(dir);
  const parts: { part: string; rows: FilterQuality[] }[] = [];
  for (
    const [part, own] of Map.groupBy(
      pairs,
      ({ source, tuning }) => `${source}, ${tuning ? "tuning" : "held out"}`,
    )
  ) parts.push({ part, rows: await filterQuality(own) });
  const tables = parts.map(({ part, rows }) => {
    const lines = rows.filter((row) =>
      row.soundDropped + row.unsoundDropped > 0 || row.filter === "all rules"
    )
      .map((row) =>
        `| ${row.filter} | ${row.soundDropped} of ${row.sound} | ${row.unsoundDropped} of ${row.unsound} | ${
          share(row.recall)
        } | ${share(row.precision)} |`
      );
    return `## ${part}

| rule | sound pairs dropped | unsound pairs dropped | recall, % | precision, % |
|---|---|---|---|---|
${lines.join("\n")}
`;
  });
  const text = `# The rules on labelled pairs about real images

Each rule alone, then all. Recall: sound pairs kept. Precision: kept pairs that are sound. 95 % intervals. Rules that drop nothing
are not listed.

${tables.join("\n")}`;
  console.log(`${text}\nWritten: ${await writeBench("filters", parts, text)}`);
}
