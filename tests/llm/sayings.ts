import type { Job } from "@lib/llm/mod.ts";

/** Jobs "say 0", "say 1", ... with seeds of their own. */
export const sayings = (count: number): Job[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `job ${i}`,
    request: { messages: [{ role: "user", content: `say ${i}` }], seed: i, temperature: 0, maxTokens: 5 },
  }));

/** Runs a test with a path for a journal in a folder that goes away. */
export async function withJournal(test: (journalPath: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/deep/journal.jsonl`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
