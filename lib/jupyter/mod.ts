/** Display helpers for notebooks, a stop that keeps the kernel, the closing check, exercises; run_notebook.py runs notebooks. */
export { CHECK, check, CheckResult, type Threshold } from "./check.ts";
export { type Bundle, image, markdown, type Pixels, print, show, table } from "./display.ts";
export { exercise } from "./exercise.ts";
export { checkpoint, stopSignal } from "./kernel.ts";
export { fillPage, jpegDataUri, type PageOptions, showPage } from "./page.ts";
export { type Advance, progress } from "./progress.ts";
export {
  code,
  escapeHtml,
  escapeMarkdown,
  fence,
  type Html,
  html,
  type Markdown,
  md,
  oneLine,
  visible,
} from "./text.ts";
export { type Download, listed, parseDownload } from "./page_download.ts";
