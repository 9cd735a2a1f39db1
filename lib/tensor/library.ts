import { dirname, fromFileUrl, join } from "@std/path";

const FRAMEWORK = "libtensorflow_framework.so.2", CC = "libtensorflow_cc.so.2";

const has = (dir: string): boolean => {
  try {
    return Deno.statSync(join(dir, CC)).isFile && Deno.statSync(join(dir, FRAMEWORK)).isFile;
  } catch {
    return false;
  }
};

function wheelFolders(root: string): string[] {
  try {
    return [...Deno.readDirSync(root)].filter((e) => e.name.startsWith("python3."))
      .map((e) => join(root, e.name, "site-packages", "tensorflow"));
  } catch {
    return [];
  }
}

/**
 * The two libraries of TensorFlow's wheel, in the order in which they must be loaded, and the folder of Python packages
 * around it. Looked for in the folder that TF_DIR names, else in this project's .venv.
 * @throws if they are not there, naming the places and the remedy.
 */
export function findLibraries(): { framework: string; cc: string; site: string } {
  const own = Deno.env.get("TF_DIR"), venv = fromFileUrl(new URL("../../.venv/lib", import.meta.url));
  const places = own ? [own] : wheelFolders(venv), dir = places.find(has);
  if (dir) return { framework: join(dir, FRAMEWORK), cc: join(dir, CC), site: dirname(dir) };
  const looked = own ? `in TF_DIR (${own})` : `in ${join(venv, "python3.*/site-packages/tensorflow")}`;
  throw new Error(
    `TensorFlow is not installed: ${CC} and ${FRAMEWORK} were not found ${looked}. Run ./lab setup.`,
  );
}
