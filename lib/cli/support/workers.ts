import { UsageError } from "../command.ts";

const LOCALHOST = "127.0.0.1";

/** Addresses on this machine that nothing listens at now. */
function freeAddresses(count: number): string[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: LOCALHOST, port: 0 }));
  const addresses = listeners.map(({ addr }) => `${LOCALHOST}:${(addr as Deno.NetAddr).port}`);
  listeners.forEach((listener) => listener.close());
  return addresses;
}

/**
 * What tells each of several processes on this machine its place (see `workerPlace`): one GPU for each where there are
 * GPUs; its share of the cores.
 *
 * @throws UsageError where CUDA_VISIBLE_DEVICES shows fewer GPUs
 */
export function workerEnvironments(count: number): Record<string, string>[] {
  const shown = Deno.env.get("CUDA_VISIBLE_DEVICES")?.split(",").filter(Boolean);
  if (shown && shown.length > 0 && shown.length < count) {
    throw new UsageError(`--workers is ${count}, but CUDA_VISIBLE_DEVICES shows ${shown.length} GPUs.`);
  }
  const LAB_WORKERS = freeAddresses(count).join();
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / count));
  return Array.from({ length: count }, (_, rank) => ({
    LAB_WORKERS,
    RANK: `${rank}`,
    WORLD_SIZE: `${count}`,
    CUDA_VISIBLE_DEVICES: shown ? shown[rank] ?? "" : `${rank}`,
    TF_NUM_INTRAOP_THREADS: Deno.env.get("TF_NUM_INTRAOP_THREADS") ?? `${threads}`,
  }));
}
