import { diskError } from "../config/mod.ts";

/**
 * Runs `body` while this process holds the lock file `path`; the system frees it with the process, however that ends.
 * @param onWait called once when another process holds it
 * @throws the reason of `signal`, when that ends the waiting
 */
export async function withLock<T>(
  path: string,
  { onWait, signal }: { onWait?: () => void; signal?: AbortSignal },
  body: () => Promise<T>,
): Promise<T> {
  using file = await Deno.open(path, { write: true, create: true }).catch((error) => {
    throw diskError(error, path);
  });
  const timer = setTimeout(() => onWait?.(), 300);
  const stopped = new Promise<never>((_, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
  stopped.catch(() => {}); // when nobody waits any more
  try {
    signal?.throwIfAborted();
    await Promise.race([file.lock(true), stopped]);
  } finally {
    clearTimeout(timer);
  }
  return await body();
}
