/** Fetches a data set onto a disk that is too small, at /mnt, which is made larger each time. Prints what it was told. */
import { fetchDataset } from "../../lib/download/mod.ts";
import { manifestAt, publish, publisher } from "./dataset_fixture.ts";
import { names, withServer } from "./server.ts";

const published = publish(), dir = "/mnt/made_up", unseen = { bytes: null, sha256: null, checked: false };

await withServer(publisher(() => published), async (base, seen) => {
  const rows = { url: `${base}/rows.csv`, path: "rows.csv", about: null, ...unseen };
  const unpack = { into: "images", atMost: 60_000 };
  const images = { url: `${base}/images.zip`, path: "images.zip", about: null, ...unseen, unpack };
  const manifest = manifestAt(base, { files: [rows, images] });
  for (const options of ["ro", "rw,size=80k", "rw,size=140k", "rw,size=400k"]) {
    await new Deno.Command("mount", { args: ["-o", `remount,${options}`, "/mnt"] }).output();
    const before = seen.length;
    const said = await fetchDataset(manifest, dir, { retry: { attempts: 3, baseDelayMs: 5 } }).then(
      () => "ready",
      (error) => `${error.constructor.name}: ${error.message}`,
    );
    const left = await names(dir).catch(() => []);
    console.log(JSON.stringify({ said, left, asked: seen.slice(before).map(({ path }) => path).sort() }));
  }
});
