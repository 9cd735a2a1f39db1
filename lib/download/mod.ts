/** Downloads that resume, verify and never leave half a file: single files and models of the Hugging Face hub. */
export { type DownloadedFile, downloadFile, type DownloadOptions } from "./file.ts";
export { HttpError } from "./http.ts";
export { downloadHubModel, type HubDownload, type HubOptions } from "./hub.ts";
