/** What a worker of imagePool does. */
import { sha256File } from "../config/mod.ts";
import type { ImageResult, ImageTask } from "./pool.ts";
import { serve } from "./worker_pool.ts";

serve<ImageTask, ImageResult>(async (task) => {
  const hash = await sha256File(task.path);
  if (task.kind === "hash") return { result: { sha256: hash } };
  // Hashing alone needs no decoder, which take most of the time that a worker needs to start.
  const { decodeImage, fingerprint, resizeBicubic } = await import("./mod.ts");
  const image = await decodeImage(task.path);
  if (task.kind === "inspect") {
    const { width, height } = image, found = fingerprint(image);
    return {
      result: { sha256: hash, width, height, fingerprint: found },
      transfer: [found.grey.buffer as ArrayBuffer],
    };
  }
  const data = resizeBicubic(image, task.size, task.size).data as Uint8Array<ArrayBuffer>;
  return { result: { sha256: hash, rgb: data }, transfer: [data.buffer] };
});
