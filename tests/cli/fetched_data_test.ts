import { assert, assertEquals } from "@std/assert";
import { basename, join, relative } from "@std/path";
import { zipSync } from "fflate";
import { packTar } from "modern-tar";
import { paths } from "../../lib/config/mod.ts";
import { type Corpus, loadMedPix2, loadPmcVqa, loadRocoV2, loadSlake } from "../../lib/corpus/mod.ts";
import { checkFolder, DatasetManifest, fetchDataset, readManifest } from "../../lib/download/mod.ts";
import { writePhantomCorpora } from "../../lib/phantom/mod.ts";
import { ranged, withFolder, withServer } from "../download/server.ts";

const LOADERS: Record<string, (dir: string) => Promise<Corpus>> = {
  slake: loadSlake,
  pmc_vqa: loadPmcVqa,
  roco_v2: loadRocoV2,
  medpix2: loadMedPix2,
};
/** A file of the manifest -> what of the phantoms it is: an archive of a folder, or a file with another name. */
const AS_PHANTOM: Record<string, string> = {
  "imgs.zip": "imgs",
  "images_2.zip": "images",
  "train_images.zip": "train",
  "valid_images.zip": "valid",
  "test_images.zip": "test",
  "medpix2.tar.gz": "",
  "validation.json": "validate.json",
};
const COUNTS = { train: 6, validation: 3, test: 3 };
const counts = { slake: COUNTS, pmc_vqa: { ...COUNTS, validation: 0 }, roco_v2: COUNTS, medpix2: COUNTS };

/** All files of a folder by their path in it. */
async function contents(dir: string, root = dir): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isDirectory) Object.assign(files, await contents(path, root));
    else files[relative(root, path)] = await Deno.readFile(path);
  }
  return files;
}

/** What the source of the manifest's file `path` serves, made of the phantoms in `dir`; null where they lack it. */
async function published(dir: string, path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const place = join(dir, AS_PHANTOM[path] ?? path);
  const info = await Deno.stat(place).catch(() => null);
  if (info === null || (AS_PHANTOM[path] === undefined && !info.isFile)) return null;
  if (!info.isDirectory) return await Deno.readFile(place);
  const files = Object.entries(await contents(place));
  if (path.endsWith(".zip")) { // made outside its folder
    return new Uint8Array(
      zipSync(Object.fromEntries(files.map(([name, b]) => [`${basename(place)}/${name}`, b]))),
    );
  }
  const tar = await packTar([ // as the code host makes it: the repository in a folder with its name
    { header: { name: "MedPix-2.0-d3bc4315/README.md", size: 2 }, body: "hi" },
    ...files.map(([name, body]) => ({
      header: { name: `MedPix-2.0-d3bc4315/MedPix-2-0/${name}`, size: body.length },
      body,
    })),
  ]);
  const packed = new Blob([tar]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

for (const [name, load] of Object.entries(LOADERS)) {
  Deno.test(`what ./lab data ${name} makes of phantoms in the published archives is what its loader reads`, async () => {
    await withFolder(async (folder) => {
      const phantoms = join((await writePhantomCorpora(`${folder}/phantom`, { counts })).dir, name);
      const manifest = await readManifest(join(paths.data, "datasets"), name);
      const served = new Map<string, Uint8Array<ArrayBuffer>>();
      for (const { path } of manifest.files) {
        const bytes = await published(phantoms, path);
        if (bytes) served.set(`/${path}`, bytes);
      }
      await withServer((request) => {
        const bytes = served.get(new URL(request.url).pathname);
        return bytes ? ranged(request, bytes) : new Response(null, { status: 404 });
      }, async (base) => {
        const files = manifest.files.filter(({ path }) => served.has(`/${path}`))
          .map(({ path, unpack }) => {
            const unseen = { bytes: null, about: null, sha256: null, checked: false };
            return { url: `${base}/${path}`, path, ...unseen, ...(unpack && { unpack }) };
          });
        const came = new Set(files.flatMap(({ path, unpack }) => [path, unpack?.into ?? path]));
        const holds = manifest.holds.filter(({ any }) => any.some((path) => came.has(path.split("/")[0])))
          .map(({ any }) => ({ any }));
        assert(files.length >= 1 && holds.length >= 3);
        const licence = { ...manifest.licence, mustAccept: false };
        const local = DatasetManifest.parse({ ...manifest, licence, files, holds });
        await fetchDataset(local, `${folder}/local`);
        assertEquals((await checkFolder(local, `${folder}/local`)).state, "ready");
      });
      const [direct, fetched] = [await load(phantoms), await load(`${folder}/local`)];
      const plain = ({ records }: Corpus) =>
        records.map((r) => ({ ...r, imagePath: basename(r.imagePath), licence: "" }));
      assert(direct.records.length > 5);
      assertEquals(plain(fetched), plain(direct));
    });
  });
}
