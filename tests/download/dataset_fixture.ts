import { zipSync } from "fflate";
import { DatasetManifest } from "../../lib/download/mod.ts";
import { content, type Handler, ranged } from "./server.ts";

/** The files of a small made-up data set, as its server has them. */
export interface Published {
  rows: Uint8Array<ArrayBuffer>;
  archive: Uint8Array<ArrayBuffer>;
}

/** Rows, and an archive with `count` images of `size` bytes in images/ (stored: noise does not shrink). */
export function publish(count = 3, size = 20_000): Published {
  const images = Array.from({ length: count }, (_, i) => [`images/${i}.png`, content(size, i + 2)] as const);
  return {
    rows: content(50_000),
    archive: new Uint8Array(zipSync(Object.fromEntries(images), { level: 0 })),
  };
}

/** Serves `published()` under /rows.csv and /images.zip, with strong ETags and ranges. */
export function publisher(published: () => Published): Handler {
  return (request) => {
    const { rows, archive } = published(), { pathname } = new URL(request.url);
    const bytes = pathname === "/rows.csv" ? rows : pathname === "/images.zip" ? archive : null;
    if (bytes === null) return new Response(null, { status: 404 });
    return ranged(request, bytes, `"${bytes.length}-${bytes[100]}"`);
  };
}

/** The manifest of that data set; `changes` replace keys. */
export function manifestAt(base: string, changes: Record<string, unknown> = {}): DatasetManifest {
  const unseen = { bytes: null, about: null, sha256: null, checked: false };
  return DatasetManifest.parse({
    name: "made_up",
    title: "A made-up data set",
    citation: "Nobody: Nothing. 2026.",
    homepage: "https://example.org/",
    licence: {
      name: "CC BY 4.0",
      url: "https://example.org/licence",
      summary: "Credit is due.",
      mustAccept: false,
      nonCommercial: false,
    },
    about: null,
    files: [
      { url: `${base}/rows.csv`, path: "rows.csv", ...unseen },
      {
        url: `${base}/images.zip`,
        path: "images.zip",
        ...unseen,
        unpack: { into: "images", atMost: 20_000_000 },
      },
    ],
    byHand: [],
    holds: [{ any: ["rows.csv"] }, { any: ["images"], files: 3 }],
    notes: [],
    ...changes,
  });
}
