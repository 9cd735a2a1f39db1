/** Stand-in for jsr:@std/async: the functions this project uses, with the same signatures. */

/** Resolves after `ms` milliseconds, or rejects when the signal is aborted. */
export function delay(ms: number, options: { signal?: AbortSignal } = {}): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Runs `iteratorFn` on every item, at most `poolLimit` at a time; yields the results in the order of the items.
 * After an error no further item is begun, and an AggregateError of all errors is thrown.
 */
export async function* pooledMap<T, R>(
  poolLimit: number,
  array: Iterable<T> | AsyncIterable<T>,
  iteratorFn: (data: T) => Promise<R>,
): AsyncIterableIterator<R> {
  const results: Promise<R>[] = [];
  const running = new Set<Promise<R>>();
  let next = 0;
  try {
    for await (const item of array) {
      const task = Promise.resolve().then(() => iteratorFn(item));
      results.push(task);
      running.add(task);
      task.then(() => running.delete(task), () => {}); // a failed one stays, for the report
      if (running.size >= poolLimit) await Promise.race(running);
      while (next < results.length && !running.has(results[next])) yield await results[next++];
    }
    while (next < results.length) yield await results[next++];
  } catch {
    const errors = (await Promise.allSettled(running)).flatMap((r) =>
      r.status === "rejected" ? [r.reason] : []
    );
    throw new AggregateError(errors, "Cannot complete the mapping as an error was thrown from an item");
  }
}
