import { fromFileUrl, join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { familyOf, living } from "./family.ts";
import { runNotebook } from "@lib/cli/support/notebooks.ts";
import { within } from "@lib/cli/support/time.ts";
import type { Campaign } from "../faults.ts";

/** The processes of a running notebook, from ./lab down, by what their command line says. */
export const ROLES = {
  lab: "faults/processes.ts",
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
    const members = living(family);
    const pidOf = (role: Role) => members.find(({ command }) => command.includes(ROLES[role]))?.pid;
    const absent = (Object.keys(ROLES) as Role[]).filter((role) => pidOf(role) === undefined);
    if (ready && !absent.length) Deno.kill(pidOf(role)!, signal);
    await within(15, () => living(family).length === 0);
    const left = living(family);
    for (const { pid } of left) Deno.kill(pid, "SIGKILL");
    await lab.status;
    if (!ready || absent.length) return `did not start: ${absent.join(", ") || "the notebook"}`;
    if (left.length === 0) return null;
    return `left ${left.map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`).join("; ")}`;
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
