/** Workers that take tasks one by one, off the main thread. */
export interface WorkerPool<Task, Result> extends AsyncDisposable {
  /** How many workers there are at most; each starts when there is something to do. */
  readonly workers: number;
  /** The result of a task. @throws what the task threw, with its message; when its worker died; when the pool is closed or aborted. */
  run(task: Task): Promise<Result>;
  /** Rejects what has not been done, at once, and ends all workers; one at a task has two seconds to end it. */
  close(): Promise<void>;
}

/** What a worker is sent, and what it answers. */
interface Order<Task> {
  id: number;
  task: Task;
}
/** Milliseconds that a task may still take when its pool is closed. */
const GRACE = 2000;
/** Sent instead of a task: those that it has not begun are not to be done. */
const STOP = "stop";
type Reply<Result> = { id: number } & ({ result: Result } | { error: string });

interface Job<Task, Result> extends Order<Task> {
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/**
 * A pool of module workers that run `script`, which calls {@link serve}. A worker that dies fails the tasks it holds and
 * nothing else; another one takes its place.
 * @param options.signal aborting it closes the pool
 * @param options.held tasks that a worker is given at once; more than 1 keep it busy while this thread is not free to
 * give it the next one
 * @param options.nameOf what an error calls a task of a worker that died; default: the task as JSON
 */
export function workerPool<Task, Result>(
  script: URL,
  workers: number,
  { signal, held = 1, nameOf = JSON.stringify }: {
    signal?: AbortSignal;
    held?: number;
    nameOf?: (task: Task) => string;
  } = {},
): WorkerPool<Task, Result> {
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`A pool needs a positive whole number of workers, found ${workers}.`);
  }
  const waiting: Job<Task, Result>[] = [];
  const jobsOf = new Map<Worker, Map<number, Job<Task, Result>>>();
  let ended: { reason: unknown; workers: Promise<unknown> } | null = null, asked = 0;

  function start(): Worker {
    const worker = new Worker(script, { type: "module" }), jobs = new Map<number, Job<Task, Result>>();
    jobsOf.set(worker, jobs);
    worker.onmessage = ({ data }: MessageEvent<Reply<Result>>) => {
      const job = jobs.get(data.id)!;
      jobs.delete(data.id);
      if ("error" in data) job.reject(new Error(data.error));
      else job.resolve(data.result);
      next();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      jobsOf.delete(worker);
      for (const { task, reject } of jobs.values()) {
        reject(new Error(`A worker died of ${nameOf(task)}: ${event.message}`));
      }
      next();
    };
    return worker;
  }

  /** The worker with the fewest tasks, a new one rather than one that is busy; null when all have enough. */
  function free(): Worker | null {
    let found: Worker | null = null, fewest = held;
    for (const [worker, { size }] of jobsOf) if (size < fewest) [found, fewest] = [worker, size];
    return (found && fewest === 0) || jobsOf.size === workers ? found : start();
  }

  function next() {
    for (let worker; waiting.length && (worker = free());) {
      const job = waiting.shift()!, { id, task } = job;
      jobsOf.get(worker)!.set(id, job);
      worker.postMessage({ id, task } satisfies Order<Task>);
    }
  }

  function end(reason: unknown) {
    if (ended) return;
    signal?.removeEventListener("abort", abort);
    ended = {
      reason,
      workers: Promise.all([...jobsOf].map(([worker, { size }]) => endWorker(worker, size))),
    };
    for (const jobs of [...jobsOf.values(), waiting]) for (const job of jobs.values()) job.reject(reason);
    jobsOf.clear();
    waiting.length = 0;
  }
  const abort = () => end(signal!.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();

  const close = async () => {
    end(new Error("The pool of workers was closed."));
    await ended!.workers;
  };
  return {
    workers,
    run: (task) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended.reason);
        waiting.push({ id: asked++, task, resolve, reject });
        next();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Ends a worker when it has answered the `tasks` that it holds, or died, or after {@link GRACE}: to end one inside of a
 * native library (sharp decodes in threads of its own) can end the process.
 */
function endWorker(worker: Worker, tasks: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => end(), GRACE);
    const end = () => {
      clearTimeout(late);
      worker.terminate();
      resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end();
    };
    worker.onmessage = () => void (--tasks === 0 && end());
    if (tasks > 0) worker.postMessage(STOP);
    else end();
  });
}

/**
 * Answers a pool's tasks in its worker, one after the other.
 * @param work gives the result and those of its buffers that are handed over instead of copied
 */
export function serve<Task, Result>(
  work: (task: Task) => Promise<{ result: Result; transfer?: Transferable[] }>,
): void {
  const scope = self as unknown as {
    onmessage: (event: MessageEvent<Order<Task> | typeof STOP>) => void;
    postMessage(reply: Reply<Result>, transfer: Transferable[]): void;
  };
  let stopped = false;
  const answer = async ({ id, task }: Order<Task>) => {
    try {
      if (stopped) throw new Error("The pool of workers was closed.");
      const { result, transfer } = await work(task);
      scope.postMessage({ id, result }, transfer ?? []);
    } catch (error) {
      scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }, []);
    }
  };
  let last = Promise.resolve();
  scope.onmessage = ({ data }) => {
    if (data === STOP) stopped = true;
    else last = last.then(() => answer(data));
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
