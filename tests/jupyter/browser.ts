/** A headless browser for tests: CHROME, or Chromium or Chrome on the PATH. */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { type Browser, chromium, type Page } from "playwright-core";

/** The browser's program, or undefined: tests that need it are then skipped (with CHROME set they never are). */
export const chrome: string | undefined = await (async () => {
  const named = Deno.env.get("CHROME");
  if (named) return named;
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of ["chromium", "google-chrome", "chromium-browser"]) {
      if (await exists(join(folder, name))) return join(folder, name);
    }
  }
})();

/** Opens a page, hands it to `fn`, and closes the browser whatever happens. */
export async function withPage<T>(
  fn: (page: Page, browser: Browser) => Promise<T>,
  size = { width: 1280, height: 900 },
): Promise<T> {
  const browser = await chromium.launch({
    executablePath: chrome,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    return await fn(await browser.newPage({ viewport: size }), browser);
  } finally {
    await browser.close();
  }
}

/** Opens a page that lies on the disk: the keys of a person, what has gone wrong so far, and what was asked of servers. */
export async function openFile(
  page: Page,
  file: string,
): Promise<{ press: (...keys: string[]) => Promise<void>; faults: string[]; asked: string[] }> {
  const faults: string[] = [], asked: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => /^(blob|data|file):/.test(request.url()) || asked.push(request.url()));
  await page.goto(`file://${file}`);
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  return { press, faults, asked };
}
