import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { delay } from "@std/async";
import { fromFileUrl, join } from "@std/path";
import { Folder } from "./support.ts";

const WHOLE = ["venv", "pip requirements.lock", "pip requirements-models.lock", "probe", "modules", "kernel"];

/** A test on a copy of the launcher. */
function test(name: string, fn: (folder: Folder) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = await Folder.make();
    try {
      await fn(folder);
    } finally {
      await folder.remove();
    }
  });
}

test("the first command sets up with one line a step, the second does nothing", async (folder) => {
  const first = await folder.lab(["deno", "--version"]);
  assertEquals(first.code, 0, first.text);
  assertEquals(await folder.calls(), WHOLE);
  const steps = first.text.split("\n").filter((line) => /^ {2}\S.* \d+ s$/.test(line));
  assertEquals(steps.length, 5, first.text);
  const second = await folder.lab(["deno", "--version"]);
  assertEquals(second.code, 0, second.text);
  assertEquals(await folder.calls(), []);
  assert(!second.text.includes("Setting up"));
});

test("a launcher that an update changes while it sets up does not go on in the new text", async (folder) => {
  const { code, text } = await folder.lab(["setup"], { FAKE_UPDATE: "1" });
  assertEquals(code, 0, text);
  assertStringIncludes(text, "Ready.");
  assert(!text.includes("read on"), text);
  assertStringIncludes(await Deno.readTextFile(join(folder.root, "lab")), "read on");
});

test("a link to the launcher, as in ~/bin, is the same command", async (folder) => {
  const bin = join(folder.base, "home/bin"), link = join(bin, "radvqa");
  await Deno.mkdir(bin);
  await Deno.symlink("../../radvqa lab/lab", join(bin, "one"));
  await Deno.symlink("one", link);
  const options = { ...folder.environment(), cwd: bin };
  const { code, stdout } = await new Deno.Command(link, { ...options, args: ["run"] }).output();
  assertEquals(code, 0);
  assertStringIncludes(new TextDecoder().decode(stdout), `in ${bin}\n`);
  assertStringIncludes(new TextDecoder().decode(stdout), `DENO_DIR=${folder.root}/.venv/deno\n`);
  assertEquals([...Deno.readDirSync(bin)].map(({ name }) => name).sort(), ["one", "radvqa"]);
});

test("a ./lab that another ./lab runs, as in JupyterLab's terminal, finds everything set up", async (folder) => {
  const outer = await folder.lab(["deno"]);
  const env = Object.fromEntries(
    outer.text.split("\n").filter((line) => /^\w+=/.test(line)).map((line) => {
      const [name, ...value] = line.split("=");
      return [name, value.join("=")];
    }),
  );
  assertMatch(env.JSR_URL, /^file:/);
  await folder.calls();
  const inner = await folder.lab(["run"], env);
  assertEquals([inner.code, await folder.calls()], [0, []], inner.text);
  assert(!inner.text.includes("Setting up"), inner.text);
  const own = await folder.lab(["run"], { ...env, JSR_URL: "https://jsr.example/" });
  assertStringIncludes(own.text, "Setting up");
});

test("a command keeps the working folder, the arguments and the user's keys; caches and settings go to .venv", async (folder) => {
  const cwd = join(folder.base, "home");
  const env = { HF_TOKEN: "secret", TEACHER_API_KEY: "key" };
  const { text } = await folder.lab(["run", "05", "two words"], env, { cwd });
  assertStringIncludes(text, `in ${cwd}\n`);
  assertStringIncludes(text, "argument run\nargument 05\nargument two words\n");
  assertStringIncludes(text, "HF_TOKEN=secret");
  assertStringIncludes(text, "TEACHER_API_KEY=key");
  const names =
    "DENO_DIR XDG_CACHE_HOME NPM_CONFIG_CACHE JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR IPYTHONDIR MPLCONFIGDIR";
  for (const name of names.split(" ")) assertStringIncludes(text, `\n${name}=${folder.root}/.venv/`);
  const home: string[] = [];
  for await (const entry of Deno.readDir(cwd)) home.push(entry.name);
  assertEquals(home, []);
});

test("temporary files stay inside, but a browser's where the folder is too deep for its socket; old ones go", async (folder) => {
  const tmp = join(folder.root, ".venv/state/tmp"), old = join(tmp, "damage-1");
  const seen = async (command: string, env: Record<string, string> = { TMPDIR: "/system" }) =>
    (await folder.lab([command], env)).text.match(/^TMPDIR=(.*)$/m)?.[1];
  await Deno.mkdir(old, { recursive: true });
  await Deno.writeTextFile(join(old, "x"), "");
  await Deno.writeTextFile(join(tmp, "new"), "");
  await Deno.mkdir(join(tmp, "org.chromium.Chromium.a")); // of a browser that may still run
  const week = new Date(Date.now() - 8 * 86_400_000);
  for (const name of ["damage-1", "org.chromium.Chromium.a"]) await Deno.utime(join(tmp, name), week, week);
  assertEquals([await seen("run"), await seen("run", {})], [tmp, tmp]);
  assertEquals(await seen("deno"), new TextEncoder().encode(tmp).length > 60 ? "/system" : tmp);
  assertEquals([...Deno.readDirSync(tmp)].map(({ name }) => name).sort(), ["new", "org.chromium.Chromium.a"]);
  const deep = join(folder.base, "d".repeat(80));
  await Deno.rename(folder.root, deep);
  folder.root = deep;
  assertEquals(await seen("run"), join(deep, ".venv/state/tmp"));
  assertEquals(await seen("deno"), "/system");
});

test("only what changed is set up again, all of it in a folder that was moved", async (folder) => {
  await folder.lab(["setup"]);
  await folder.calls();
  const append = (file: string) => Deno.writeTextFile(join(folder.root, file), "\n", { append: true });
  await append("deno.json");
  await folder.lab(["deno"]);
  assertEquals(await folder.calls(), ["modules"]);
  await append("requirements.lock");
  await folder.lab(["deno"]);
  assertEquals(await folder.calls(), ["pip requirements.lock", "pip requirements-models.lock", "kernel"]);
  await folder.play("python3.12", `FAKE_VERSION=3.12 exec python3 "$@"`); // another Python appears
  await append("deno.json");
  await folder.lab(["deno"]);
  assertEquals(await folder.calls(), ["modules"]);
  await Deno.remove(join(folder.root, ".venv/bin/python")); // the environment's own disappears
  await folder.lab(["deno"]);
  const { text: rebuilt } = await folder.lab(["setup"]);
  assert(!rebuilt.includes("failed"));
  assertEquals(
    await folder.calls(),
    WHOLE.filter((call) => call !== "modules" && call !== "probe").concat("probe"),
  );
  await Deno.remove(join(folder.root, "node_modules"), { recursive: true });
  await folder.lab(["deno"]);
  assertEquals(await folder.calls(), ["modules"]);
  const moved = `${folder.root} moved`;
  await Deno.rename(folder.root, moved);
  folder.root = moved;
  const { code, text } = await folder.lab(["deno"]);
  assertEquals([code, ...await folder.calls()], [0, ...WHOLE], text);
});

test("another system or processor is refused in one sentence, before anything is written", async (folder) => {
  for (const [system, machine] of [["Darwin", "arm64"], ["Linux", "aarch64"]]) {
    await folder.play("uname", `case $1 in -s) echo ${system} ;; -m) echo ${machine} ;; esac`);
    const { code, text } = await folder.lab(["run", "05"]);
    assertEquals(code, 1);
    assertMatch(
      text,
      new RegExp(`^lab: expected Linux on x86_64, .* this is ${system} on ${machine}\\.[^\n]*\n$`),
    );
    assertEquals(await exists(join(folder.root, ".venv")), false);
  }
  await folder.play("uname", `case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac`);
  const musl = await folder.lab(["setup"], { FAKE_LIBC: "unknown" });
  assertStringIncludes(musl.text, "expected a Linux with glibc");
});

test("Python is looked for by name; one that does not fit or has no venv module is named", async (folder) => {
  const old = await folder.lab(["setup"], { FAKE_VERSION: "3.14" });
  assertEquals(old.code, 1);
  assertStringIncludes(
    old.text,
    "expected Python 3.10 to 3.13 on the PATH, found  python3 is 3.14, nothing else.",
  );
  const none = await folder.lab(["setup"], { FAKE_VERSION: "none" });
  assertStringIncludes(none.text, "found none.");
  const bare = await folder.lab(["setup"], { FAKE_NO_VENV: "1" });
  assertStringIncludes(
    bare.text,
    "python3 has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)",
  );
  await folder.play("python3.12", `FAKE_VERSION=3.12 exec python3 "$@"`);
  const found = await folder.lab(["setup"], { FAKE_VERSION: "3.14" });
  assertEquals(found.code, 0, found.text);
  assertStringIncludes(found.text, "Python 3.12");
});

test("a disk without room is refused before anything is downloaded", async (folder) => {
  await folder.free(1000);
  const { code, text } = await folder.lab(["setup"]);
  assertEquals(code, 1);
  assertMatch(text, /set-up needs \d+ MB of disk, 1000 MB are free/);
  assertEquals(await folder.calls(), []);
});

test("a limit on address space in which Deno does not start is one sentence", async (folder) => {
  await folder.lab(["setup"]);
  const within = async (env: Record<string, string>) => {
    const script = 'ulimit -v 16000000 && exec "$0" deno --version';
    const args = ["-c", script, join(folder.root, "lab")];
    const { code, stderr } = await new Deno.Command("sh", { ...folder.environment(env), args }).output();
    return { code, text: new TextDecoder().decode(stderr) };
  };
  assertEquals(await within({}), { code: 0, text: "" });
  const { code, text } = await within({ FAKE_V8: "refused" });
  assertEquals(code, 1);
  assertMatch(text, /^lab: Deno does not start within the 15625 MB of address space .*\(ulimit -v\).*\n$/);
});

test("a failed step says why and shows its log's end; the next run takes a fresh environment", async (folder) => {
  const cases: [string, string][] = [
    ["network", "a download failed. Check the network"],
    ["full", "the disk is full"],
    ["odd", ".venv/log/packages.log. Mend what it says"],
  ];
  for (const [FAKE_PIP, why] of cases) {
    const { code, text } = await folder.lab(["setup"], { FAKE_PIP });
    assertEquals(code, 1);
    assertStringIncludes(text, "failed\n");
    assertStringIncludes(text, why);
  }
  await folder.calls();
  const again = await folder.lab(["setup"]);
  assertEquals(again.code, 0, again.text);
  assertEquals(await folder.calls(), WHOLE);
});

test("set-up that is interrupted or killed goes on at the next run", async (folder) => {
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const child = folder.command(["setup"], { FAKE_PIP: "slow" }, { detached: true }).spawn();
    const output = child.output();
    for (let i = 0; i < 100 && !await exists(join(folder.root, ".venv/stamps/begun")); i++) await delay(20);
    Deno.kill(-child.pid, signal); // the whole process group, as a terminal does
    const { code, stderr } = await output;
    assert(code !== 0);
    if (signal === "SIGINT") {
      assertStringIncludes(new TextDecoder().decode(stderr), "Interrupted; run ./lab setup");
    }
    assertEquals(await exists(join(folder.root, ".venv/stamps/all")), false);
    await folder.calls();
  }
  const again = await folder.lab(["setup"]);
  assertEquals(again.code, 0, again.text);
  assertEquals(await folder.calls(), WHOLE);
});

test("two at once set up once", async (folder) => {
  const env = { FAKE_PIP: "slow" };
  const [first, second] = await Promise.all([
    folder.lab(["deno"], env),
    delay(300).then(() => folder.lab(["deno"], env)),
  ]);
  assertEquals([first.code, second.code], [0, 0], first.text + second.text);
  assertStringIncludes(second.text, "Another ./lab is setting up; waiting for it.");
  assertEquals(await folder.calls(), WHOLE);
});

test("an NVIDIA GPU, or --gpu, brings TensorFlow's GPU build, and it stays", async (folder) => {
  const pins = (lock: string) => Deno.readTextFile(join(folder.root, lock));
  assertMatch(await pins("requirements.lock"), /^tensorflow-cpu==/m);
  assertMatch(await pins("requirements-gpu.lock"), /^tensorflow==/m);
  assert(!/^tensorflow-cpu/m.test(await pins("requirements-gpu.lock")));
  await folder.lab(["setup"]);
  assert((await folder.calls()).includes("pip requirements.lock"));
  await folder.play("nvidia-smi", "echo GPU 0");
  await folder.lab(["setup"]);
  const calls = await folder.calls();
  assertEquals(calls[0], "venv");
  assert(calls.includes("pip requirements-gpu.lock"), calls.join());
  await folder.play("nvidia-smi", "exit 1");
  await folder.lab(["deno"]);
  assertEquals(await folder.calls(), []);
});

test("where JSR answers, it is used; elsewhere the stand-in, by a URL that holds in a folder with a space", async (folder) => {
  const away = await folder.lab(["deno"]);
  const url = /^JSR_URL=(file:\S+\/)$/m.exec(away.text)?.[1];
  assertEquals(url && fromFileUrl(url), `${join(folder.root, "tests/jsr_stand_in")}/`);
  const there = await folder.lab(["setup"], { FAKE_JSR: "there" }); // asks again
  assertEquals(there.code, 0, there.text);
  assert(!(await folder.lab(["deno"])).text.includes("JSR_URL"));
  const own = await folder.lab(["deno"], { JSR_URL: "https://mirror.example/" });
  assertStringIncludes(own.text, "JSR_URL=https://mirror.example/");
});

test("help needs no set-up, and an unknown command does not start one", async (folder) => {
  const help = await folder.lab(["help"]), bare = await folder.lab([]);
  assertEquals([help.code, bare.text], [0, help.text]);
  assertStringIncludes(help.text, "./lab demo");
  assertMatch((await folder.lab(["--version"])).text, /^RadVQA Lab \d+\.\d+\.\d+\n$/);
  const unknown = await folder.lab(["dmeo"]);
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.text, 'there is no command "dmeo"');
  const wrong = await folder.lab(["setup", "--cpu"]);
  assertStringIncludes(wrong.text, "setup takes --gpu or nothing, found: --cpu");
  assertEquals(await exists(join(folder.root, ".venv")), false);
});

test("another registry than at set-up takes the TypeScript packages from there, and back again", async (folder) => {
  await folder.lab(["setup"]);
  await folder.calls();
  const mirror = { JSR_URL: "https://mirror.example/" };
  await folder.lab(["deno"], mirror);
  assertEquals(await folder.calls(), ["modules", "kernel"]);
  await folder.lab(["deno"], mirror);
  assertEquals(await folder.calls(), []);
  await folder.lab(["deno"]);
  assertEquals(await folder.calls(), ["modules", "kernel"]);
});

test("behind a proxy this machine's own servers are asked directly, and who the user named", async (folder) => {
  await folder.lab(["setup"]);
  const seen = async (env: Record<string, string>) => {
    const { text } = await folder.lab(["run"], env);
    return ["NO_PROXY", "no_proxy"].map((name) => text.match(new RegExp(`^${name}=(.*)$`, "m"))?.[1]);
  };
  const loopback = "127.0.0.1,localhost,::1";
  assertEquals(await seen({}), [loopback, loopback]);
  const both = `.clinic.example,${loopback}`;
  assertEquals(await seen({ no_proxy: ".clinic.example" }), [both, both]);
  const own = "127.0.0.1,10.0.0.0/8";
  assertEquals(await seen({ NO_PROXY: own, no_proxy: "x" }), [own, own]);
});

test("whatever the umask, set-up's files are for all readers of the folder, a user's state for its owner", async (folder) => {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'umask 077; "$0" setup; "$0" deno', join(folder.root, "lab")],
    ...folder.environment(),
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const mode = async (path: string) => ((await Deno.stat(join(folder.root, path))).mode! & 0o777).toString(8);
  const paths = [
    ".venv",
    ".venv/stamps/all",
    ".venv/bin/deno",
    "node_modules",
    ".venv/state",
    ".venv/state/tmp",
  ];
  assertEquals(await Promise.all(paths.map(mode)), ["755", "644", "755", "755", "700", "700"]);
});

test("text is UTF-8 for Python, whatever the locale", async (folder) => {
  await folder.lab(["setup"]);
  assertStringIncludes((await folder.lab(["run"], { LC_ALL: "de_DE.ISO-8859-1" })).text, "\nPYTHONUTF8=1\n");
});

test("a disk from which no program may be started is named before anything is downloaded", async (folder) => {
  await folder.play("chmod", "exit 0");
  const { code, text } = await folder.lab(["setup"]);
  assertEquals(code, 1);
  assertMatch(
    text,
    /^lab: no program may be started from \/.* \(is its disk mounted noexec\?\): move the folder to another disk\.\n$/,
  );
  assertEquals(await folder.calls(), []);
});

test("LAB_HOME takes a user's state, results and downloads, all but set-up", async (folder) => {
  await folder.lab(["setup"]);
  const LAB_HOME = join(folder.base, "home/my lab");
  const { text } = await folder.lab(["run"], { LAB_HOME });
  assertStringIncludes(text, `\nLAB_HOME=${LAB_HOME}\n`);
  for (const name of ["XDG_CACHE_HOME", "JUPYTER_RUNTIME_DIR", "TMPDIR", "CUDA_CACHE_PATH"]) {
    assertStringIncludes(text, `\n${name}=${LAB_HOME}/state/`);
  }
  assertStringIncludes(text, `\nDENO_DIR=${folder.root}/.venv/`);
  const wrong = await folder.lab(["run"], { LAB_HOME: "/proc/none" });
  assertStringIncludes(
    wrong.text,
    'LAB_HOME is "/proc/none", where you may not write. Set it to a folder of your own.',
  );
});
