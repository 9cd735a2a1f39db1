import { diskError } from "../config/mod.ts";

/** What one process has at a time. The system takes it back when the process ends, however that happens. */
export interface FileLock extends Disposable {
  release(): void;
}

/** `process 123 since 2026-01-01 10:00:00 UTC`, as a lock's file says. */
function holder(text: string): string {
  const [, pid, since] = /^(\d+) (\S+)\n$/.exec(text) ?? [];
  return pid ? `process ${pid} since ${since.replace("T", " ").slice(0, 19)} UTC` : "another process";
}

/**
 * Takes the lock that a file stands for; its folder must be there.
 *
 * @param busy what to say when another process has it, which is named with the time since when
 * @throws Error with that sentence, and nothing is changed; or when the file cannot be written
 */
export function lockFile(path: string, busy: (holder: string) => string): FileLock {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw diskError(error, path);
  }
  try {
    if (!file.tryLockSync(true)) throw new Error(busy(holder(Deno.readTextFileSync(path))));
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`${Deno.pid} ${new Date().toISOString()}\n`));
  } catch (error) {
    file.close();
    throw diskError(error, path);
  }
  let held = true;
  const release = () => {
    if (held) file.close();
    held = false;
  };
  return { release, [Symbol.dispose]: release };
}

/** Whether a process has the lock that a file stands for. @throws Deno.errors.NotFound */
export function isLocked(path: string): boolean {
  using file = Deno.openSync(path, { read: true, write: true });
  return !file.tryLockSync(true);
}
