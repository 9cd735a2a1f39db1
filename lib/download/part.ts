import { createHash, type Hash } from "node:crypto";
import { writeFileAtomicSync } from "../config/mod.ts";

/** What the unfinished file came from, so that a later run can tell whether the server still has the same one. */
interface Origin {
  url: string;
  etag: string | null;
}

/** The unfinished download `<path>.part` with its running digests; `<path>.part.json` beside it says where it came from. */
export class Part {
  readonly file: string;
  readonly note: string;
  received = 0;
  etag: string | null = null;
  #sha256: Hash = createHash("sha256");
  #git: Hash | null = null;

  constructor(path: string, private readonly url: string, private readonly gitSize: number | null) {
    this.file = `${path}.part`;
    this.note = `${path}.part.json`;
    this.#reset();
  }

  #reset(): void {
    this.received = 0;
    this.#sha256 = createHash("sha256");
    // git hashes "blob <size>\0" before the content
    this.#git = this.gitSize === null ? null : createHash("sha1").update(`blob ${this.gitSize}\0`);
  }

  #update(bytes: Uint8Array): void {
    this.#sha256.update(bytes);
    this.#git?.update(bytes);
    this.received += bytes.length;
  }

  /** Takes up what an earlier run left, when it came from the same address. */
  async restore(): Promise<void> {
    const origin = await readOrigin(this.note);
    if (origin?.url !== this.url) return await this.restart(null);
    this.etag = origin.etag;
    const file = await Deno.open(this.file).catch(() => null);
    if (file) { for await (const chunk of file.readable) this.#update(chunk); }
  }

  /** Throws away what was received. */
  async restart(etag: string | null): Promise<void> {
    this.#reset();
    this.etag = etag;
    await Deno.writeFile(this.file, new Uint8Array());
    writeFileAtomicSync(this.note, JSON.stringify({ url: this.url, etag } satisfies Origin));
  }

  /** Appends a response's body, at most up to `atMost` bytes in all. Every chunk written is counted at once. Whether that was all of it. */
  async append(body: ReadableStream<Uint8Array>, atMost: number, tick: () => void): Promise<boolean> {
    const file = await Deno.open(this.file, { write: true, create: true });
    try {
      await file.seek(this.received, Deno.SeekMode.Start);
      await file.truncate(this.received);
      for await (const chunk of body) {
        if (this.received + chunk.length > atMost) return false;
        for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
        this.#update(chunk);
        tick();
      }
      await file.sync();
      return true;
    } finally {
      file.close();
    }
  }

  digests(): { sha256: string; gitOid: string | null } {
    return { sha256: this.#sha256.copy().digest("hex"), gitOid: this.#git?.copy().digest("hex") ?? null };
  }

  async discard(): Promise<void> {
    for (const name of [this.file, this.note]) await Deno.remove(name).catch(() => {});
    this.#reset();
  }

  async moveTo(path: string): Promise<void> {
    await Deno.rename(this.file, path);
    await Deno.remove(this.note).catch(() => {});
  }
}

async function readOrigin(note: string): Promise<Origin | null> {
  try {
    return JSON.parse(await Deno.readTextFile(note));
  } catch {
    return null;
  }
}
