const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Bytes as a person reads them, in powers of ten: "812 bytes", "2.96 MB", "18.9 GB". */
export function formatBytes(bytes: number): string {
  let unit = 0, value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${UNITS[unit]}`;
}
