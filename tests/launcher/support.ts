import { dirname, fromFileUrl, join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

const tools = dirname(fromFileUrl(import.meta.url));

/** System programs that the launcher uses; everything else on its PATH is played. */
const SYSTEM =
  "sh cat chmod cksum awk grep sed date mkdir rm cp mv ln dirname tail sleep timeout env tr find wc readlink"
    .split(" ");

export interface Result {
  code: number;
  /** Standard output and standard error. */
  text: string;
}

/** A copy of the launcher in a folder of its own, with played tools. */
export class Folder {
  private constructor(readonly base: string, public root: string) {}

  /** Makes the copy; `name` is the folder's name. */
  static async make(name = "radvqa lab"): Promise<Folder> {
    const base = await Deno.makeTempDir(), root = join(base, name), bin = join(base, "bin");
    for (const dir of [bin, join(base, "home"), join(root, "lib/cli"), join(root, "lib/jupyter")]) {
      await Deno.mkdir(dir, { recursive: true });
    }
    const std = join(root, "tests/jsr_stand_in/@std/fs/1.0.0");
    await Deno.mkdir(std, { recursive: true });
    await Deno.writeTextFile(join(std, "mod.ts"), "");
    const copied = [
      "lab",
      "deno.json",
      "requirements.lock",
      "requirements-gpu.lock",
      "requirements-models.lock",
    ];
    for (
      const file of [
        ...copied,
        "deno.lock",
        "CITATION.cff",
        "lib/cli/help.txt",
        "lib/cli/run.ts",
        "lib/jupyter/install_kernel.py",
      ]
    ) {
      await Deno.copyFile(join(paths.root, file), join(root, file));
    }
    for (const program of SYSTEM) {
      const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output();
      await Deno.symlink(new TextDecoder().decode(stdout).trim(), join(bin, program));
    }
    const folder = new Folder(base, root);
    await Deno.copyFile(join(tools, "fake_python"), join(bin, "python3"));
    await folder.play("uname", `case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac`);
    await folder.free(50_000);
    return folder;
  }

  /** Puts a shell script on the PATH. */
  async play(name: string, script: string): Promise<void> {
    const file = join(this.base, "bin", name);
    await Deno.remove(file).catch(() => {}); // a link to the system's program, which is not to be written through
    await Deno.writeTextFile(file, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(file, 0o755);
  }

  /** Says how many MB of disk are free. */
  free(mb: number): Promise<void> {
    return this.play("df", `echo header\necho "disk 1 1 ${mb * 1024} 1% /"`);
  }

  command(args: string[], env: Record<string, string> = {}, options: Deno.CommandOptions = {}): Deno.Command {
    return new Deno.Command(join(this.root, "lab"), { ...this.environment(env), ...options, args });
  }

  /** Where and with what a program sees the played tools. */
  environment(env: Record<string, string> = {}): Deno.CommandOptions {
    return {
      cwd: this.base,
      clearEnv: true,
      env: {
        PATH: join(this.base, "bin"),
        HOME: join(this.base, "home"),
        FAKE_CALLS: join(this.base, "calls"),
        FAKE_TOOLS: tools,
        REAL_PYTHON: join(paths.venv, "bin/python"),
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    };
  }

  async lab(args: string[], env?: Record<string, string>, options?: Deno.CommandOptions): Promise<Result> {
    const { code, stdout, stderr } = await this.command(args, env, options).output();
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  }

  /** What the played tools were asked for since the last call: "venv", "pip ...", "probe", "modules", "kernel". */
  async calls(): Promise<string[]> {
    const file = join(this.base, "calls");
    const text = await Deno.readTextFile(file).catch(() => "");
    await Deno.remove(file).catch(() => {});
    return text.split("\n").filter(Boolean).map((line) => line.replace(/^pip .*-r .*\/(.*)$/, "pip $1"));
  }

  remove(): Promise<void> {
    return Deno.remove(this.base, { recursive: true });
  }
}
