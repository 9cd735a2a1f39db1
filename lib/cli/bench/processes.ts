import { delay } from "@std/async";
import { fromFileUrl, join } from "@std/path";
import { paths } from "../../config/mod.ts";
import { runNotebook } from "../support/notebooks.ts";
import type { Campaign } from "./faults.ts";

/** The processes of a running notebook, from ./lab down, by what their command line says. */
export const ROLES = {
  lab: "bench/processes.ts",
  runner: "run_notebook.py",
  shim: "deno_kernel.py",
  kernel: "jupyter --quiet --kernel",
  server: "embedded_server.py",
} as const;
export type Role = keyof typeof ROLES;

/** How one of them is ended; the first is what Ctrl-C, `kill` and the system's memory killer do. */
export const ENDINGS: readonly (readonly [Role, Deno.Signal])[] = [
  ["lab", "SIGKILL"],
  ["lab", "SIGTERM"],
  ["lab", "SIGINT"],
  ["lab", "SIGHUP"],
  ["runner", "SIGKILL"],
  ["runner", "SIGTERM"],
  ["shim", "SIGKILL"],
  ["kernel", "SIGKILL"],
];

const CELLS = [
  `import { startEmbeddedServer } from "@lib/llm/mod.ts";
const server = await startEmbeddedServer();`,
  `Deno.writeTextFileSync("ready", ""); await new Promise((done) => setTimeout(done, 600_000));`,
];

/** Command line of a process, or "" when it has ended. */
function commandOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " "); // a zombie has none
  } catch {
    return "";
  }
}

/** Command lines of a process and all below it, by process id. */
function familyOf(pid: number): Map<number, string> {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      const parent = Number(
        /^PPid:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${Number(name)}/status`))![1],
      );
      children.set(parent, [...children.get(parent) ?? [], Number(name)]);
    } catch { /* no process, or it has ended */ }
  }
  const found = new Map<number, string>();
  const visit = (pid: number) => {
    found.set(pid, commandOf(pid));
    children.get(pid)?.forEach(visit);
  };
  visit(pid);
  return found;
}

/** The condition, asked ten times a second for so many seconds. */
async function within(seconds: number, holds: () => boolean): Promise<boolean> {
  for (let i = 0; i < 10 * seconds; i++) {
    if (holds()) return true;
    await delay(100);
  }
  return holds();
}

/**
 * Runs a notebook that has started a language model, as `./lab run` does, ends one of its processes and looks for others
 * that go on.
 *
 * @returns what is left after 15 seconds, or that it did not start; null if nothing is left
 */
export async function endOneProcess(role: Role, signal: Deno.Signal): Promise<string | null> {
  await Deno.mkdir(join(paths.root, "build"), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: join(paths.root, "build"), prefix: "processes-" });
  const cells = CELLS.map((source, i) => (
    { cell_type: "code", id: `cell-${i}`, metadata: {}, execution_count: null, outputs: [], source }
  ));
  const metadata = { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } };
  await Deno.writeTextFile(
    join(folder, "x.ipynb"),
    JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }),
  );
  try {
    const lab = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", fromFileUrl(import.meta.url), folder],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const ready = await within(90, () => [...Deno.readDirSync(folder)].some(({ name }) => name === "ready"));
    const family = familyOf(lab.pid);
    const pidOf = (role: Role) => [...family].find(([, command]) => command.includes(ROLES[role]))?.[0];
    const absent = (Object.keys(ROLES) as Role[]).filter((role) => pidOf(role) === undefined);
    if (ready && !absent.length) Deno.kill(pidOf(role)!, signal);
    const leftOver = () => [...family].filter(([pid, command]) => command && commandOf(pid) === command);
    const gone = await within(15, () => leftOver().length === 0);
    const left = leftOver();
    for (const [pid] of left) Deno.kill(pid, "SIGKILL");
    await lab.status;
    if (!ready || absent.length) return `did not start: ${absent.join(", ") || "the notebook"}`;
    return gone ? null : `left ${left.map(([pid, command]) => `${pid} ${command.slice(0, 200)}`).join("; ")}`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Ends of processes of a running notebook. */
export const processes: Campaign = {
  name: "processes",
  describe:
    "./lab, the notebook runner, the kernel's shim or the kernel is killed while a notebook with a language model " +
    "runs; failed: a process is left",
  count: 2 * ENDINGS.length,
  async run(count, signal) {
    const details: string[] = [];
    let tried = 0;
    for (; tried < count && !signal.aborted; tried++) {
      const [role, ending] = ENDINGS[tried % ENDINGS.length];
      const left = await endOneProcess(role, ending);
      if (left) details.push(`${ending} to ${role}: ${left}`);
    }
    return { tried, failed: details.length, details };
  },
};

if (import.meta.main) {
  const [folder] = Deno.args;
  await runNotebook(join(folder, "x.ipynb"), { scale: "tiny", results: join(folder, "results") });
}
