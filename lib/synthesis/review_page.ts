import { type Scale, sha256 } from "../config/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import { decodeImage } from "../image/mod.ts";
import { checkpoint, fillPage, jpegDataUri } from "../jupyter/mod.ts";
import type { QaPair } from "./pair.ts";
import { type Decision, originalOf, pairSha256, REVIEW_VERSION } from "./review_file.ts";

/** Longer side of a thumbnail in pixels. */
const SIDE = 336;
/** Pairs on a page; a sample that is the same every time, where there are more. */
const MAX_REVIEWED = 500;

/**
 * A page on which a person accepts, rejects and edits pairs: one HTML file with all pictures in it, that asks no server
 * for anything. Captions, questions and answers are in it as JSON and reach the page as text, never as markup.
 *
 * @param pairs kept and dropped ones, with verdicts; the kept ones come first
 * @param decisions what was decided before, by pair id
 * @throws the reason of `signal` between two pictures
 */
export async function reviewPage(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
  decisions: ReadonlyMap<string, Decision>,
  scale: Scale,
  { signal }: { signal?: AbortSignal } = {},
): Promise<string> {
  const captions = new Map(records.map((record) => [record.imagePath, record.caption]));
  const order = new Map(pairs.map((pair) => [pair, sha256(pair.id)]));
  const sampled = [...pairs].sort((a, b) => order.get(a)! < order.get(b)! ? -1 : 1).slice(0, MAX_REVIEWED);
  const chosen = new Set(sampled);
  const rows = pairs.filter((pair) => chosen.has(pair)).map((pair) => reviewRow(pair, captions, decisions));
  const shown = [...rows.filter((row) => !row.failed.length), ...rows.filter((row) => row.failed.length)];
  const images = new Map<string, string>();
  for (const { imageId, imagePath } of sampled) {
    await checkpoint(signal);
    if (!images.has(imageId)) images.set(imageId, await jpegDataUri(await decodeImage(imagePath), SIDE));
  }
  const key = sha256(shown.map((row) => row.sha256).join("\n")).slice(0, 16);
  const data = { version: REVIEW_VERSION, scale, key, pairs: shown, images: Object.fromEntries(images) };
  return await fillPage(import.meta.dirname!, "review_page", data);
}

function reviewRow(
  pair: QaPair,
  captions: ReadonlyMap<string, string | null>,
  decisions: ReadonlyMap<string, Decision>,
) {
  const { id, imageId, imagePath, question, answer, choices, prompt, model } = pair;
  const verdicts: Record<string, string> = JSON.parse(pair.verdicts);
  const failed = Object.entries(verdicts).filter(([, verdict]) => verdict !== "pass");
  const own = pairSha256(pair), decision = decisions.get(id);
  return {
    id,
    sha256: own,
    image: imageId,
    caption: captions.get(imagePath) ?? null,
    question,
    answer,
    choices,
    prompt,
    model,
    original: originalOf(pair),
    failed: failed.map(([filter, reason]) => `${filter}: ${reason}`),
    decision: decision?.pair === own ? decision : null,
  };
}
