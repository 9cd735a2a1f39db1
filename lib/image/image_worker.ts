/** What a worker of imagePool does. */
import { serve, sha256File } from "../config/mod.ts";
import { decodeImage } from "./decode.ts";
import { fingerprint } from "./fingerprint.ts";
import type { ImageResult, ImageTask } from "./pool.ts";
import { resizeBicubic } from "./resize.ts";

serve<ImageTask, ImageResult>(async (task) => {
  if (task.kind === "inspect") {
    const hash = await sha256File(task.path), image = await decodeImage(task.path);
    const { width, height, notes = [] } = image, found = fingerprint(image);
    return {
      result: { sha256: hash, width, height, notes, fingerprint: found },
      transfer: found.views.map(({ buffer }) => buffer as ArrayBuffer),
    };
  }
  const image = await decodeImage(task.path);
  const data = resizeBicubic(image, task.size, task.size).data as Uint8Array<ArrayBuffer>;
  return { result: { rgb: data }, transfer: [data.buffer] };
});
