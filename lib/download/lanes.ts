/** Files fetched at the same time: enough to hide latency, few enough for a server's limits. */
const LANES = 4;

/**
 * Does `work` on every item, {@link LANES} at a time and in order. The first failure, or `signal`, aborts the signal that
 * the others got, and is thrown once all have ended.
 */
export async function inLanes<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (item: T, index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let next = 0;
  const lane = async () => {
    while (next < items.length && !either.aborted) {
      const index = next++;
      await work(items[index], index, either);
    }
  };
  await Promise.allSettled(
    Array.from({ length: LANES }, () => lane().catch((error) => stop.abort(error))),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
  signal?.throwIfAborted();
}
