/**
 * Checks the frame of an Arrow IPC file before a reader follows it: every length and place that the file claims lies
 * within it, so that damage is an error and not an endless loop. Layout: Arrow's columnar format, "IPC File Format", and
 * its flatbuffers Schema.fbs, Message.fbs and File.fbs.
 */

/** Types that writeArrow writes, by their number in Schema.fbs, with their buffers besides the validity bits. */
const INT = 2, FLOAT = 3, UTF8 = 5, BOOL = 6, LIST = 12;
const RECORD_BATCH = 3;
const MAGIC_BYTES = 8, TAIL_BYTES = 10;

/** A column as the schema declares it. */
interface Column {
  type: number;
  children: Column[];
}

function need(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`${what} is damaged`);
}

/** Bounded reading of one flatbuffer, `bytes` of the file from `start` to `end`. */
class Buffer {
  readonly #view: DataView;
  constructor(bytes: Uint8Array, start: number, end: number, readonly what: string) {
    need(start >= 0 && start <= end && end <= bytes.length, what);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  }
  #at(place: number, size: number): number {
    need(Number.isInteger(place) && place >= 0 && place + size <= this.#view.byteLength, this.what);
    return place;
  }
  u8 = (place: number) => this.#view.getUint8(this.#at(place, 1));
  i32 = (place: number) => this.#view.getInt32(this.#at(place, 4), true);
  i64 = (place: number) => {
    const value = Number(this.#view.getBigInt64(this.#at(place, 8), true));
    need(value >= 0 && value <= Number.MAX_SAFE_INTEGER, this.what);
    return value;
  };
  /** Place that an offset stored at `place` points at. */
  follow = (place: number) => this.#at(place + this.#view.getUint32(this.#at(place, 4), true), 4);
  /** Place of a table's field; null where it is left out. */
  field(table: number, index: number): number | null {
    const vtable = this.#at(table - this.i32(table), 4), slot = 4 + 2 * index;
    if (slot >= this.#view.getUint16(vtable, true)) return null;
    const offset = this.#view.getUint16(this.#at(vtable + slot, 2), true);
    return offset === 0 ? null : table + offset;
  }
  /** Places of a vector's elements of `size` bytes; none where it is left out. */
  vector(table: number, index: number, size: number): number[] {
    const field = this.field(table, index);
    if (field === null) return [];
    const vector = this.follow(field), length = this.i32(vector);
    need(length >= 0, this.what);
    this.#at(vector + 4, length * size);
    return Array.from({ length }, (_, i) => vector + 4 + i * size);
  }
}

function columnOf(buffer: Buffer, field: number, depth = 0): Column {
  const typeField = buffer.field(field, 2), type = typeField === null ? 0 : buffer.u8(typeField);
  need([INT, FLOAT, UTF8, BOOL, LIST].includes(type) && buffer.field(field, 4) === null, buffer.what);
  for (const index of [0, 3]) { // its name and its type's parameters
    const place = buffer.field(field, index);
    if (place !== null) buffer.follow(place);
  }
  const children = buffer.vector(field, 5, 4);
  need(children.length === (type === LIST ? 1 : 0) && depth < 2, buffer.what);
  return { type, children: children.map((place) => columnOf(buffer, buffer.follow(place), depth + 1)) };
}

/** Bytes that `length` values need in the buffer after the validity bits. */
function bytesNeeded(type: number, length: number): number {
  if (type === INT) return 4 * length;
  if (type === FLOAT) return 8 * length;
  if (type === BOOL) return Math.ceil(length / 8);
  return length === 0 ? 0 : 4 * (length + 1); // offsets
}

/** Checks one record batch: its message in `buffer`, its values in `body`. */
function checkBatch(buffer: Buffer, batch: number, columns: readonly Column[], body: Uint8Array): void {
  const number = (field: number | null) => field === null ? 0 : buffer.i64(field);
  const rows = number(buffer.field(batch, 0));
  need(buffer.field(batch, 3) === null, buffer.what); // compression
  const nodes = buffer.vector(batch, 1, 16).values(), buffers = buffer.vector(batch, 2, 16).values();
  const next = (places: Iterator<number>) => {
    const { value, done } = places.next();
    need(!done, buffer.what);
    return value as number;
  };
  const part = (least: number) => {
    const place = next(buffers), start = buffer.i64(place), bytes = buffer.i64(place + 8);
    need(bytes >= least && start + bytes <= body.length && start % 8 === 0, buffer.what);
    return body.subarray(start, start + bytes);
  };
  const visit = ({ type, children }: Column, expected?: number): number => {
    const node = next(nodes), length = buffer.i64(node), nulls = buffer.i64(node + 8);
    need(length <= 8 * body.length && nulls <= length && (expected ?? length) === length, buffer.what);
    part(nulls === 0 ? 0 : Math.ceil(length / 8));
    const values = part(bytesNeeded(type, length));
    if (type === UTF8) part(0);
    for (const child of children) {
      const inner = visit(child);
      const ends = new DataView(values.buffer, values.byteOffset, values.byteLength);
      let last = 0;
      for (let i = 0; i < values.byteLength >> 2 && i <= length; i++) {
        const end = ends.getInt32(4 * i, true);
        need(end >= last && end <= inner, buffer.what);
        last = end;
      }
    }
    return length;
  };
  for (const column of columns) visit(column, rows);
  need(columns.length > 0 || rows === 0, buffer.what);
}

/** @throws Error naming the part of the file that is damaged, or is none that writeArrow writes */
export function checkFrame(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  need(bytes.length >= MAGIC_BYTES + 8 + TAIL_BYTES, "its frame");
  const end = bytes.length - TAIL_BYTES, start = end - view.getInt32(end, true);
  need(start >= MAGIC_BYTES && start <= end, "its footer's length");
  const footer = new Buffer(bytes, start, end, "its footer"), root = footer.follow(0);
  const schema = footer.field(root, 1);
  need(schema !== null && footer.vector(root, 2, 24).length === 0, "its footer");
  const fields = footer.vector(footer.follow(schema), 1, 4);
  const columns = fields.map((place) => columnOf(footer, footer.follow(place)));
  const message = (at: number): { buffer: Buffer; root: number; end: number } => {
    need(at % 8 === 0 && at + 8 <= start && view.getInt32(at, true) === -1, `its message at byte ${at}`);
    const length = view.getInt32(at + 4, true);
    need(length > 0 && at + 8 + length <= start, `its message at byte ${at}`);
    const buffer = new Buffer(bytes, at + 8, at + 8 + length, `its message at byte ${at}`);
    return { buffer, root: buffer.follow(0), end: at + 8 + length };
  };
  const blocks = footer.vector(root, 3, 24);
  if (blocks.length > 0) message(MAGIC_BYTES); // the schema once more
  for (const block of blocks) {
    const at = footer.i64(block), metadata = footer.i32(block + 8), body = footer.i64(block + 16);
    const found = message(at), { buffer } = found;
    const type = buffer.field(found.root, 1), header = buffer.field(found.root, 2);
    const length = buffer.field(found.root, 3);
    need(found.end === at + metadata && found.end + body <= start, `its batch at byte ${at}`);
    need(type !== null && buffer.u8(type) === RECORD_BATCH && header !== null, `its batch at byte ${at}`);
    need((length === null ? 0 : buffer.i64(length)) === body, `its batch at byte ${at}`);
    checkBatch(buffer, buffer.follow(header), columns, bytes.subarray(found.end, found.end + body));
  }
}
