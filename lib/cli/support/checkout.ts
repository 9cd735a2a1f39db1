async function git(root: string, args: string[], env: Record<string, string>): Promise<string | null> {
  try {
    const command = new Deno.Command("git", {
      args: ["-C", root, ...args],
      clearEnv: true,
      env,
      stderr: "null",
    });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch {
    return null; // no git
  }
}

/** The commit that is checked out, with a mark where files differ from it; null without git, or where `root` is not a checkout's top. */
export async function commitOf(root: string): Promise<string | null> {
  const env = Deno.env.toObject(), changed = await checkoutState(root, env);
  const commit = changed && (await git(root, ["rev-parse", "--short", "HEAD"], env))?.trim();
  return commit ? `${commit}${changed.length > 0 ? ", with changes" : ""}` : null;
}

/**
 * What git, in this environment, says has changed in a checkout, line by line; null without git, or where `root` is not
 * a checkout's top.
 */
export async function checkoutState(
  root: string,
  env: Record<string, string>,
): Promise<string[] | null> {
  if ((await git(root, ["rev-parse", "--show-prefix"], env))?.trim() !== "") return null;
  const status = ["--no-optional-locks", "status", "--porcelain", "--untracked-files=all"];
  return (await git(root, status, env))?.split("\n").filter(Boolean) ?? null;
}
