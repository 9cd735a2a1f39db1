import { exists } from "@std/fs";
import { join } from "@std/path";

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * Writes a script that starts the tests' browser (CHROME, or one on the PATH) with `folder` as its home, and without
 * TMPDIR: Chromium ends where the path of its socket has more than 107 characters. What it keeps in a home is its own.
 *
 * @returns the script, or null where there is no browser.
 */
export async function writeBrowser(folder: string): Promise<string | null> {
  const names = ["chromium", "google-chrome", "chromium-browser"];
  const places = (Deno.env.get("PATH") ?? "").split(":").flatMap((dir) =>
    names.map((name) => join(dir, name))
  );
  let browser = Deno.env.get("CHROME");
  for (const place of places) if (!browser && await exists(place)) browser = place;
  if (!browser) return null;
  const script = join(folder, "browser");
  await Deno.writeTextFile(
    script,
    `#!/bin/sh\nunset TMPDIR\nHOME=${quoted(folder)} exec ${quoted(browser)} "$@"\n`,
  );
  await Deno.chmod(script, 0o755);
  return script;
}
