import { join } from "@std/path";
import { fillPage } from "../jupyter/mod.ts";
import { type ExplorerExample, MAX_PAGE_BYTES } from "./explorer.ts";

/**
 * A page to explore where models look: choose a token of question or answer and see its map over the picture, choose patches
 * and see which tokens take from them; method, layer, head and sinks; models side by side; zoom and window. One HTML file that
 * asks no server for anything; what it shows of data and models reaches it as text, never as markup.
 *
 * @param options.notice shown above; "" for none
 * @throws where there is no example; when the page would be larger than 5 MB
 */
export async function explorerPage(
  examples: readonly ExplorerExample[],
  { title, notice }: { title: string; notice: string },
): Promise<string> {
  if (examples.length === 0) throw new Error("Expected an example for the explorer, found none.");
  const folder = import.meta.dirname!, library = await Deno.readTextFile(join(folder, "explorer_drawing.js"));
  const page = await fillPage(folder, "explorer_page", { title, notice, examples }, { library });
  const bytes = new TextEncoder().encode(page).length;
  if (bytes > MAX_PAGE_BYTES) {
    throw new Error(
      `Expected a page of at most ${MAX_PAGE_BYTES / 1e6} MB, found ${(bytes / 1e6).toFixed(1)} MB with ` +
        `${examples.length} examples: show fewer, or make each with \`share\`: how many there are.`,
    );
  }
  return page;
}
