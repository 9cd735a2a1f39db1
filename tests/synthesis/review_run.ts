/** Runs of notebook 02 in a temporary folder, with a teacher that says what the test wants. */
import { join } from "@std/path";
import type { Decision, QaPair } from "@lib/synthesis/mod.ts";
import { captioned } from "./records.ts";

// Both folders are read from the environment when the rooms are loaded.
export const folder = await Deno.makeTempDir({ prefix: "review-" });
Deno.env.set("LAB_RESULTS", join(folder, "results"));
Deno.env.set("LAB_DATA_LOCAL", join(folder, "data"));
Deno.env.delete("LIMIT");
const { startRun } = await import("@lib/artifacts/mod.ts");
const { loadConfig } = await import("@lib/config/mod.ts");
const { encodePng } = await import("@lib/image/mod.ts");
const { startReplayServer } = await import("../support/replay_server.ts");
export const synthesis = await import("@lib/synthesis/mod.ts");
export const config = loadConfig({});

export const HOSTILE =
  `</script><script>globalThis.owned = 1</script><img src="http://127.0.0.1:9/x" onerror="globalThis.owned = 2"> $& __SCRIPT__ __DATA__`;

/** Three captions; the last one attacks the page. */
export const records = await Promise.all(
  ["ct of the abdomen with a cyst in the right kidney", "mri of the head, no lesion", HOSTILE].map(
    async (caption, i) => {
      const imagePath = join(folder, `${i}.png`), data = new Uint8Array(48 * 32 * 3).fill(60 + 60 * i);
      await Deno.writeFile(imagePath, await encodePng({ width: 48, height: 32, data }));
      return captioned(`${i}`, caption, { imagePath });
    },
  ),
);
export const id = (record: number) => `roco_v2/train/${record}#teacher/0`;

/** What the teacher writes about the three images: a good pair, one that no filter lets through, a hostile one. */
export const REPLIES = [
  { question: "Which organ is affected?", answer: "kidney" },
  { question: "What does the picture show?", answer: "brain" },
  { question: `Is there <b onclick="globalThis.owned = 3">a</b> lesion?`, answer: HOSTILE },
];

/** One run: asks, filters, writes the pairs and the page, and becomes the current run. */
export async function runOnce(
  replies = REPLIES,
): Promise<{ kept: Map<string, QaPair>; dropped: Map<string, QaPair>; stale: string[]; page: string }> {
  const run = await startRun("02_synthesis", config);
  const server = startReplayServer(({ messages }) => {
    const asked = messages.at(-1)!.content;
    return JSON.stringify(replies[records.findIndex(({ caption }) => asked.includes(caption!))]);
  });
  try {
    const decisions: Map<string, Decision> = await synthesis.readDecisions(config.scale);
    const result = await synthesis.synthesize(records, {
      endpoint: { baseURLs: [server.baseURL], model: "stand-in" },
      seed: 1,
      temperature: 0,
      maxTokens: 400,
      concurrency: 1,
      kinds: ["open"],
      journalPath: join(folder, `${crypto.randomUUID()}.jsonl`),
      decisions,
    });
    const all = [...result.pairs, ...result.dropped];
    await run.writeTable("teacher_pairs", all);
    const page = await synthesis.reviewPage(all, records, decisions, config.scale);
    await run.writeText(synthesis.REVIEW_PAGE, page);
    const byId = (pairs: readonly QaPair[]) => new Map(pairs.map((pair) => [pair.id, pair]));
    const dir = await run.finish();
    return {
      kept: byId(result.pairs),
      dropped: byId(result.dropped),
      stale: result.staleDecisions,
      page: join(dir, synthesis.REVIEW_PAGE),
    };
  } finally {
    await server.stop();
  }
}
