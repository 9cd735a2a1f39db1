/** Workers that take tasks one by one, off the main thread. */
export interface WorkerPool<Task, Result> extends AsyncDisposable {
  /** How many workers there are at most; each starts when there is something to do. */
  readonly workers: number;
  /** @throws what the task threw, with its message; when its worker died; when the pool is closed or aborted. */
  run(task: Task): Promise<Result>;
  /** Ends all workers; what has not been done is rejected. */
  close(): Promise<void>;
}

/** What a worker answers to a task. */
type Reply<Result> = { result: Result } | { error: string };

interface Job<Task, Result> {
  task: Task;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/**
 * A pool of module workers that run `script`, which calls {@link serve}. Each holds one task at a time, so that a worker
 * that dies fails that task and nothing else; another one takes its place.
 * @param signal aborting it closes the pool
 */
export function workerPool<Task, Result>(
  script: URL,
  workers: number,
  signal?: AbortSignal,
): WorkerPool<Task, Result> {
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`A pool needs a positive whole number of workers, found ${workers}.`);
  }
  const waiting: Job<Task, Result>[] = [], idle: Worker[] = [];
  const busy = new Map<Worker, Job<Task, Result>>();
  let ended: { reason: unknown } | null = null;

  function start(): Worker {
    const worker = new Worker(script, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Reply<Result>>) => {
      const job = busy.get(worker)!;
      busy.delete(worker);
      idle.push(worker);
      if ("error" in data) job.reject(new Error(data.error));
      else job.resolve(data.result);
      next();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
      const job = busy.get(worker);
      busy.delete(worker);
      job?.reject(new Error(`A worker died of ${JSON.stringify(job.task)}: ${event.message}`));
      next();
    };
    return worker;
  }

  function next() {
    while (waiting.length && (idle.length || busy.size < workers)) {
      const job = waiting.shift()!, worker = idle.pop() ?? start();
      busy.set(worker, job);
      worker.postMessage(job.task);
    }
  }

  function end(reason: unknown) {
    if (ended) return;
    ended = { reason };
    signal?.removeEventListener("abort", abort);
    for (const worker of [...idle, ...busy.keys()]) worker.terminate();
    for (const job of [...busy.values(), ...waiting]) job.reject(reason);
    for (const list of [idle, waiting]) list.length = 0;
    busy.clear();
  }
  const abort = () => end(signal!.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();

  const close = () => Promise.resolve(end(new Error("The pool of workers was closed.")));
  return {
    workers,
    run: (task) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended.reason);
        waiting.push({ task, resolve, reject });
        next();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Answers a pool's tasks in its worker.
 * @param work gives the result and those of its buffers that are handed over instead of copied
 */
export function serve<Task, Result>(
  work: (task: Task) => Promise<{ result: Result; transfer?: Transferable[] }>,
): void {
  const scope = self as unknown as {
    onmessage: (event: MessageEvent<Task>) => void;
    postMessage(reply: Reply<Result>, transfer: Transferable[]): void;
  };
  scope.onmessage = async ({ data }) => {
    try {
      const { result, transfer } = await work(data);
      scope.postMessage({ result }, transfer ?? []);
    } catch (error) {
      scope.postMessage({ error: error instanceof Error ? error.message : String(error) }, []);
    }
  };
}

/**
 * The results of `task` over `items`, in the items' order, with at most `limit` in the making: results that nobody has
 * taken yet hold the next ones back.
 * @throws what the first failing task, in this order, throws
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  task: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const making: Promise<Result>[] = [];
  for (const item of items) {
    if (making.length >= limit) yield await making.shift()!;
    const result = task(item);
    result.catch(() => {}); // whoever awaits it learns of it; if nobody does, an earlier one has failed
    making.push(result);
  }
  while (making.length) yield await making.shift()!;
}
