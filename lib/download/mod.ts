/** Downloads that resume, verify and never leave half a file: single files, models of the hub, data sets. */
export { type DownloadedFile } from "./file.ts";
export { downloadHubModel, type HubDownload, type HubOptions } from "./hub_model.ts";
export { acceptLicence, isAccepted, readReceipt, type Receipt } from "./receipt.ts";
export { type DatasetOptions, type DatasetProgress, fetchDataset } from "./dataset.ts";
export { DatasetManifest, downloadSize, readManifest, readManifests, unpackedSize } from "./manifest.ts";
export { freeBytes } from "./space.ts";
export { checkFolder, type DatasetState } from "./state.ts";
export { type Verification, verifyDataset } from "./verify.ts";
export type { HubRequest } from "./hub.ts";
