import { assertEquals, assertStringIncludes } from "@std/assert";
import { join, relative } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { runPython, scratchNotebook } from "./support.ts";

interface Answer {
  /** Text of each cell's outputs. */
  outputs: string[];
  /** Status and error text of each cell's reply. */
  replies: [string, string][];
  /** Whether the kernel still answers afterwards. */
  alive: boolean;
}

/** Hands all cells to a kernel at once. */
async function runAll(cells: string[], interruptAfter?: number): Promise<Answer> {
  const { folder, remove } = await scratchNotebook([]);
  try {
    const file = join(folder, "cells.json");
    await Deno.writeTextFile(file, JSON.stringify(cells));
    const args = interruptAfter === undefined ? [file] : [file, String(interruptAfter)];
    const { code, out, err } = await runPython("tests/jupyter/queue_client.py", args);
    assertEquals(code, 0, err);
    return JSON.parse(out);
  } finally {
    await remove();
  }
}

Deno.test("queued cells keep their own output, and nothing comes after a cell's idle message", async () => {
  const cells = Array.from({ length: 20 }, (_, cell) =>
    `await new Promise((r) => setTimeout(r, ${cell % 4}));
for (let i = 0; i < 20; i++) console.log("line ${cell}." + i);
"value ${cell}"`);
  const { outputs, replies } = await runAll(cells);
  for (const [cell, output] of outputs.entries()) {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${cell}.${i}\n`).join("");
    assertEquals(output.replace(`"value ${cell}"`, ""), lines);
    assertEquals(output.includes(`"value ${cell}"`), true);
  }
  assertEquals(replies.every(([status]) => status === "ok"), true);
});

Deno.test("an error aborts the cells that are queued behind it, not the ones sent later", async () => {
  const { outputs, replies, alive } = await runAll([
    `console.log("one")`,
    `throw new Error("two")`,
    `console.log("three")`,
  ]);
  assertEquals(replies.map(([status]) => status), ["ok", "error", "aborted"]);
  assertEquals([outputs[0], outputs[2]], ["one\n", ""]);
  assertEquals(alive, true);
});

Deno.test("Stop ends a cell at its checkpoint, aborts the queue and leaves the kernel alive", async () => {
  const { outputs, replies, alive } = await runAll([
    `import { checkpoint, stopSignal } from "@lib/jupyter/mod.ts"; const keep = 7;`,
    `const stop = stopSignal();
for (let i = 0; i < 600; i++) { await checkpoint(stop); await new Promise((r) => setTimeout(r, 50)); }`,
    `console.log("must not run")`,
  ], 4);
  assertEquals(replies.map(([status]) => status), ["ok", "error", "aborted"]);
  assertEquals(replies[1][1].startsWith("Stopped"), true);
  assertEquals([outputs[2], alive], ["", true]);
});

Deno.test("where too few ports are free, the kernel says so instead of looking for ever", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ports-" });
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const script = join(folder, "ports.py");
  await Deno.writeTextFile(
    script,
    [
      "import sys",
      `sys.path.insert(0, ${JSON.stringify(join(paths.root, "lib/jupyter"))})`,
      "import deno_kernel",
      "ports = deno_kernel.free_ports(5)",
      "assert len(set(ports)) == 5 and all(20_000 <= port < 32_768 for port in ports), ports",
      `deno_kernel.PORTS = range(${taken.addr.port}, ${taken.addr.port + 1})`,
      "deno_kernel.free_ports(5)",
    ].join("\n"),
  );
  try {
    const { code, err } = await runPython(relative(paths.root, script), []);
    assertEquals(code, 1);
    assertStringIncludes(
      err,
      `needs 5 free ports from ${taken.addr.port} to ${taken.addr.port} on 127.0.0.1, 0 are:`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
