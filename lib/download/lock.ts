/**
 * Runs `body` while this process holds the lock file `path`; the system frees it with the process, however that ends.
 * @param onWait called once when another process holds it
 */
export async function withLock<T>(path: string, onWait: () => void, body: () => Promise<T>): Promise<T> {
  using file = await Deno.open(path, { write: true, create: true });
  const timer = setTimeout(onWait, 300);
  await file.lock(true);
  clearTimeout(timer);
  return await body();
}
