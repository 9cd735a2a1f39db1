/** Ids of the embedded servers' processes that this process has started, in that order. */
export function servers(): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((pid) => {
    try {
      const ours = Deno.readTextFileSync(`/proc/${pid}/status`).includes(`\nPPid:\t${Deno.pid}\n`);
      return ours && Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes("embedded_server.py");
    } catch {
      return false;
    }
  }).sort((a, b) => Number(a) - Number(b));
}
