import { delay } from "@std/async";

/** Seconds as a person reads them: "8.4 s", "3 min 05 s", "318 h 24 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole >= 7200) {
    const minutes = Math.round(whole / 60);
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }
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
