import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { readArgs, UsageError } from "../../lib/cli/command.ts";
import { commands } from "../../lib/cli/commands.ts";

Deno.test("options, switches and positional arguments are read", () => {
  const { options, rest } = readArgs(["05", "--scale", "full", "--record"], {
    values: ["scale", "limit"],
    switches: ["record"],
    positional: [1, 1],
  });
  assertEquals(rest, ["05"]);
  assertEquals([options.scale, options.limit, options.record], ["full", undefined, true]);
});

Deno.test("what a command does not understand is a usage error", () => {
  assertThrows(() => readArgs(["--sclae", "full"], { values: ["scale"] }), UsageError, "--sclae");
  assertThrows(() => readArgs(["--scale"], { values: ["scale"] }), UsageError, "needs a value");
  assertThrows(() => readArgs(["a", "b"], { positional: [1, 1] }), UsageError, "expected 1 arguments");
});

/** Runs lib/cli/main.ts. */
async function main(...args: string[]) {
  const file = join(paths.root, "lib/cli/main.ts");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", file, ...args],
  })
    .output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("an unknown command, a wrong argument and --help are answered in words", async () => {
  const [unknown, wrong, help] = await Promise.all([
    main("dmeo"),
    main("run", "05", "--scale", "huge"),
    main("run", "--help"),
  ]);
  assertEquals([unknown.code, wrong.code, help.code], [1, 2, 0]);
  assertStringIncludes(unknown.text, 'there is no command "dmeo". Did you mean "demo"?');
  assertStringIncludes(wrong.text, '--scale is "huge"; expected tiny or full.');
  assertStringIncludes(wrong.text, "usage: ./lab run NN");
  assertStringIncludes(help.text, "usage: ./lab run NN");
});

Deno.test("every command has its file and usage, and the help names exactly these", async () => {
  const help = await Deno.readTextFile(join(paths.root, "lib/cli/help.txt"));
  const named = [...help.matchAll(/^ {2}\.\/lab ([a-z-]+)/gm)].map((m) => m[1]);
  const own = ["help", "setup", "version"]; // of the launcher itself
  assertEquals(named.filter((name) => !own.includes(name)).sort(), Object.keys(commands).sort());
  for (const [name, load] of Object.entries(commands)) {
    assertStringIncludes((await load()).usage, `usage: ./lab ${name}`);
    await Deno.stat(join(paths.root, "lib/cli", `${name.replaceAll("-", "_")}.ts`));
  }
});

Deno.test("a missing file and ./lab help COMMAND are answered in words, without a stack trace", async () => {
  const [missing, help] = await Promise.all([main("review", "/none.json"), main("help", "review")]);
  assertEquals([missing.code, missing.text.trim()], [
    1,
    "lab review: /none.json: no such file or directory.",
  ]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.text, "usage: ./lab review [FILE]");
});
