/** The libraries that an ELF file for 64-bit little-endian machines asks for (DT_NEEDED); none for any other file. */
export async function neededLibraries(path: string): Promise<string[]> {
  using file = await Deno.open(path);
  const read = async (offset: number, length: number): Promise<DataView> => {
    const bytes = new Uint8Array(length);
    await file.seek(offset, Deno.SeekMode.Start);
    for (let got = 0; got < length;) {
      const n = await file.read(bytes.subarray(got));
      if (n === null) throw new Error(`${path}: ends at byte ${offset + got}, in a table of its header`);
      got += n;
    }
    return new DataView(bytes.buffer);
  };
  const whole = (view: DataView, at: number) => Number(view.getBigUint64(at, true));
  if ((await file.stat()).size < 64) return [];
  const header = await read(0, 64);
  if (header.getUint32(0) !== 0x7f454c46 || header.getUint8(4) !== 2) return [];
  const count = header.getUint16(56, true), size = header.getUint16(54, true);
  const programs = await read(whole(header, 32), count * size);
  const segments = Array.from({ length: count }, (_, i) => ({
    type: programs.getUint32(i * size, true),
    offset: whole(programs, i * size + 8),
    address: whole(programs, i * size + 16),
    length: whole(programs, i * size + 32),
  }));
  const dynamic = segments.find(({ type }) => type === 2); // PT_DYNAMIC
  if (!dynamic) return [];
  const entries = await read(dynamic.offset, dynamic.length);
  const values = (tag: number) =>
    Array.from({ length: Math.floor(dynamic.length / 16) }, (_, i) => i * 16)
      .filter((at) => whole(entries, at) === tag).map((at) => whole(entries, at + 8));
  const [strings] = values(5), [length] = values(10); // DT_STRTAB, DT_STRSZ
  const holder = segments.find((s) => s.type === 1 && s.address <= strings && strings < s.address + s.length);
  if (!holder) return [];
  const table = new Uint8Array((await read(holder.offset + strings - holder.address, length)).buffer);
  return values(1).map((at) => new TextDecoder().decode(table.subarray(at, table.indexOf(0, at)))); // DT_NEEDED
}
