/** Whether this user may mount a small disk of its own; else the test is skipped. */
export async function mayMount(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("unshare", {
      args: ["-m", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
