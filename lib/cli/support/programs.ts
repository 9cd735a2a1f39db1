/**
 * This process's environment without LD_LIBRARY_PATH and its like: a command that may run only some programs is allowed to
 * start none with them.
 */
export function plainEnvironment(): Record<string, string> {
  const entries = Object.entries(Deno.env.toObject());
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith("LD_")));
}

/** What a program writes, or null where it fails or does not exist. */
export async function outputOf(program: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args,
      clearEnv: true,
      env: plainEnvironment(),
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

/** NVIDIA GPUs with memory and driver, a line each, as nvidia-smi names them. */
export async function nvidiaGpus(): Promise<string[]> {
  const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
  return (await outputOf("nvidia-smi", ...query))?.split("\n").filter(Boolean) ?? [];
}
