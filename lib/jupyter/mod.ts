/** Displays for notebooks, progress, Stop, closing checks. */
export * from "./check.ts";
export * from "./display.ts";
export { checkpoint, inKernel } from "./kernel.ts";
import { guardKernel, inKernel } from "./kernel.ts";

if (inKernel) guardKernel();
