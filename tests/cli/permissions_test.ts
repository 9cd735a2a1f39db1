import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { commands } from "../../lib/cli/commands.ts";
import { granted } from "./granted.ts";

/** Runs a script with the permissions of a command. */
async function runAs(command: string, script: string, args: string[] = [], env: Record<string, string> = {}) {
  const flags = [
    ...await granted(command),
    "--quiet",
    "--no-check",
    `--config=${join(paths.root, "deno.json")}`,
  ];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, script, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("commands without native libraries run with the permissions they need, and no more", async () => {
  const LAB_RESULTS = await Deno.makeTempDir({ prefix: "permissions-" });
  const denied = join(LAB_RESULTS, "denied.ts");
  const asks = {
    net: 'fetch("http://127.0.0.1:4")',
    run: 'new Deno.Command("/bin/true").output()',
    ffi: 'Deno.dlopen("libc.so.6", {})',
    write: `Deno.writeTextFile(${JSON.stringify(join(LAB_RESULTS, "written"))}, "")`,
  };
  const lines = Object.entries(asks).map(([name, ask]) =>
    `await Promise.try(() => ${ask}).then(() => {}, (e) => { if (e instanceof Deno.errors.NotCapable) console.log("no ${name}"); });`
  );
  await Deno.writeTextFile(denied, lines.join("\n"));
  const main = join(paths.root, "lib/cli/main.ts");
  assertEquals(await granted("data", "add", "FOLDER"), ["-A"], "it decodes images");
  const expected: Record<string, string> = {
    audit: "no run\nno ffi\nno write\n", // but Deno and Python
    data: "no run\nno ffi\n",
    doctor: "no net\nno ffi\nno write\n",
    plan: "no net\nno run\nno ffi\nno write\n", // but nvidia-smi
    review: "no net\nno run\nno ffi\n",
    runs: "no net\nno run\nno ffi\n",
    site: "no net\nno run\nno ffi\n", // but git and Python
  };
  try {
    const smi = join(LAB_RESULTS, "nvidia-smi"); // played
    await Deno.writeTextFile(smi, "#!/bin/sh\necho NVIDIA H1, 2 MiB, 3\n");
    await Deno.chmod(smi, 0o755);
    const PATH = `${LAB_RESULTS}:${Deno.env.get("PATH")}`;
    const env = { LAB_RESULTS, LAB_DATA_LOCAL: LAB_RESULTS, LD_LIBRARY_PATH: LAB_RESULTS, PATH };
    const said: Record<string, string> = {
      data: "slake",
      doctor: "\nNVIDIA GPUs     NVIDIA H1, 2 MiB, 3\n",
      plan: "  NVIDIA H1, 2 MiB, 3 [measured]\n",
      review: "Stage 02_synthesis has no finished run",
      runs: "No stage has a finished run",
    };
    await Promise.all(
      Object.keys(commands).map(async (command) => {
        const flags = await granted(command);
        if (flags.includes("-A")) return assert(!(command in expected));
        assertEquals((await runAs(command, denied)).text, expected[command], command);
        const args = command in said ? [command] : [command, "--help"];
        const { text } = await runAs(command, main, args, env);
        assertStringIncludes(text, said[command] ?? `usage: ./lab ${command}`);
      }),
    );
  } finally {
    await Deno.remove(LAB_RESULTS, { recursive: true });
  }
});
