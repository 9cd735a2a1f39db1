import { join } from "@std/path";
import { paths } from "../config/mod.ts";

/**
 * A real radiograph (DICOM) that the Python package pydicom-data brings (MIT licence); null where it is not installed.
 */
export async function sampleRadiograph(): Promise<string | null> {
  const lib = join(paths.venv, "lib");
  try {
    for await (const python of Deno.readDir(lib)) {
      const path = join(lib, python.name, "site-packages", "data_store", "data", "RG1_UNCR.dcm");
      if (await Deno.stat(path).then((file) => file.isFile, () => false)) return path;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return null;
}
