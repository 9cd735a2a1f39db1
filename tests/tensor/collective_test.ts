import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async";
import { fromFileUrl } from "@std/path";
import { workerPlace } from "../../lib/config/mod.ts";
import { workerEnvironments } from "../../lib/cli/support/workers.ts";

const script = fromFileUrl(new URL("./collective_script.ts", import.meta.url));

const start = (env: Record<string, string>, ...args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, ...args],
    env: { ...env, LAB_DEVICE: "cpu" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();

/** What a worker said on both streams, line by line. */
async function said(worker: Deno.ChildProcess): Promise<{ lines: unknown[]; stderr: string }> {
  const { stdout, stderr } = await worker.output(),
    text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { lines: text(stdout).trim().split("\n").map((line) => JSON.parse(line)), stderr: text(stderr) };
}

Deno.test("three processes get the same sums, bit for bit, what rank 0 says and what each says; nothing of it stays", async () => {
  const all = await Promise.all(workerEnvironments(3).map((env) => said(start(env, "sums"))));
  for (const { lines, stderr } of all) assertEquals([lines.length, stderr], [7, ""], JSON.stringify(lines));
  const [sums, _, message, nothing, gathered, shared, left] = all[0].lines as [
    [number[], number[]][],
    ...unknown[],
  ];
  for (const { lines } of all) assertEquals(lines, all[0].lines);
  assertEquals(sums[0], [[2, 3], [6, 6, 6, 6, 6, 6]]);
  assertEquals(sums[1][0], [5]);
  assert(Math.abs(sums[1][1][4] - (Math.sin(1) + Math.sin(2) + Math.sin(3))) < 1e-6);
  assertEquals(sums[2], [[], [3]]);
  assertEquals(message, ["Größe 3", [["b", [1, 2], [1, 2.5]], ["a", [], [0]]]]);
  assertEquals(gathered, [["Größe", "", "x".repeat(70_000)], ["", "", ""]]);
  const shares = [0, 1, 1, 2, 2].map((rank, i) => [rank, (i + 1) * Math.PI]);
  assertEquals(shared, shares);
  assertEquals([nothing, left], ["", 0]);
});

/** Ends or halts the last of some workers; what the others say. */
async function without(count: number, scenario: string, signal: "SIGKILL" | "SIGSTOP") {
  const workers = workerEnvironments(count).map((env) => start(env, scenario)), last = workers.at(-1)!;
  const others = Promise.all(workers.slice(0, -1).map(said)), reader = last.stdout.getReader();
  await reader.read(); // joined
  await delay(500);
  const at = performance.now();
  last.kill(signal);
  const found = await others, seconds = (performance.now() - at) / 1000;
  if (signal === "SIGSTOP") last.kill("SIGKILL");
  await Promise.all([reader.cancel(), last.stderr.cancel(), last.status]);
  assert(seconds < 30, `${seconds} s`);
  return found;
}

Deno.test("a worker that is killed, or does not go on, is named by each of the others within 30 s", async () => {
  const found = await Promise.all([without(3, "killed", "SIGKILL"), without(2, "stopped", "SIGSTOP")]);
  assertEquals(found.map((others) => others.length), [2, 1]);
  for (const [i, others] of found.entries()) {
    for (const { lines, stderr } of others) {
      const { error } = lines[1] as { error: string };
      assertMatch(
        error,
        new RegExp(`^The worker of rank ${2 - i} \\(127.0.0.1:\\d+\\) has ended or cannot be reached:`),
      );
      assertEquals(stderr, "");
    }
  }
});

Deno.test("joining tells who has not come, a taken port, and tensors that are there before", async () => {
  const [env] = workerEnvironments(2), address = env.LAB_WORKERS.split(",")[0];
  const [absent, late] = await Promise.all([start(env, "absent"), start(env, "late")].map(said));
  assertMatch(
    (absent.lines[0] as { error: string }).error,
    /^The worker of rank 1 \(127\.0\.0\.1:\d+\) has not come within 2 s: start one process for each address/,
  );
  assertMatch(
    (late.lines[0] as { error: string }).error,
    /^joinGroup comes before the first tensor.* there are \d+\.$/,
  );
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: Number(address.split(":")[1]) });
  const { lines } = await said(start(env, "absent"));
  assertMatch(
    (lines[0] as { error: string }).error,
    /^The worker of rank 0 cannot listen at 127\.0\.0\.1:\d+: take a free port/,
  );
});

Deno.test("a process's place comes from LAB_WORKERS and the rank of its launcher", () => {
  const names = ["LAB_WORKERS", "RANK", "SLURM_PROCID", "SLURM_NTASKS", "WORLD_SIZE"];
  const place = (env: Record<string, string>) => {
    const before = names.map((name) => [name, Deno.env.get(name)] as const);
    try {
      for (const name of names) Deno.env.delete(name);
      for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
      return workerPlace();
    } catch (error) {
      return (error as Error).message;
    } finally {
      for (const [name, value] of before) {
        value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
      }
    }
  };
  const LAB_WORKERS = "node1:2222, node2:2222", addresses = ["node1:2222", "node2:2222"];
  assertEquals(place({ SLURM_PROCID: "3", SLURM_NTASKS: "4" }), null);
  assertEquals(place({ LAB_WORKERS, RANK: "1" }), { rank: 1, addresses });
  assertEquals(place({ LAB_WORKERS, SLURM_PROCID: "0", SLURM_NTASKS: "2" }), { rank: 0, addresses });
  assertMatch(
    `${place({ LAB_WORKERS, RANK: "2" })}`,
    /^RANK is 2; expected 0 to 1, since LAB_WORKERS has 2 addresses\.$/,
  );
  assertMatch(`${place({ LAB_WORKERS })}`, /none of RANK, .* set RANK\.$/);
  assertMatch(
    `${place({ LAB_WORKERS, RANK: "0", WORLD_SIZE: "4" })}`,
    /has 2 addresses, but WORLD_SIZE is 4: name one/,
  );
  assertMatch(
    `${place({ LAB_WORKERS: "a:1,a:1", RANK: "0" })}`,
    /^LAB_WORKERS has "a:1"; expected different addresses/,
  );
  assertMatch(`${place({ LAB_WORKERS: "a,b:1", RANK: "0" })}`, /^LAB_WORKERS has "a"; expected/);
});
