import { delay } from "@std/async";

/** Seconds as a person reads them: "8.4 s", "3 min 05 s". */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** The condition, asked ten times a second for so many seconds. */
export async function within(seconds: number, holds: () => boolean): Promise<boolean> {
  for (let i = 0; i < 10 * seconds; i++) {
    if (holds()) return true;
    await delay(100);
  }
  return holds();
}
