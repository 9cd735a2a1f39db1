import { show } from "./display.ts";
import { html } from "./text.ts";

/** Moves a progress bar: how many are done, and what is going on. */
export type Advance = (done: number, note?: string) => Promise<void>;

/** Milliseconds between two pictures of a bar. */
const INTERVAL = 100;

/** Shows a progress bar under the running cell and returns the function that moves it; the last call always shows. */
export async function progress(total: number): Promise<Advance> {
  const id = crypto.randomUUID();
  let last = 0;
  const draw = (done: number, note: string, update: boolean) =>
    show(
      {
        "text/html": html`<progress value="${done}" max="${total}"></progress> ${done}/${total} ${note}`,
        "text/plain": `${done}/${total} ${note}`.trimEnd(),
      },
      { id, update },
    );
  await draw(0, "", false);
  return async (done, note = "") => {
    const now = Date.now();
    if (done < total && now - last < INTERVAL) return;
    last = now;
    await draw(done, note, true);
  };
}
