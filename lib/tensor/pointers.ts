/** Small helpers over Deno's raw pointers. */
export type Pointer = Deno.PointerValue;

const encoder = new TextEncoder();
const names = new Map<string, Uint8Array<ArrayBuffer>>();

/**
 * NUL-terminated bytes of a name; kept, since op and attribute names recur.
 * @throws if there is a NUL in it: what follows would be cut off unnoticed
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  let bytes = names.get(text);
  if (!bytes) {
    if (text.includes("\0")) throw new Error(`Expected a name without NUL, found ${JSON.stringify(text)}.`);
    names.set(text, bytes = encoder.encode(text + "\0"));
  }
  return bytes;
}

/** @throws if there is no object where TensorFlow should have made one */
export function present(p: Pointer, what: string): NonNullable<Pointer> {
  if (p === null) throw new Error(`TensorFlow could not make ${what}: is there memory left?`);
  return p;
}

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

export const fromCString = (p: Pointer): string => p ? Deno.UnsafePointerView.getCString(p) : "";

export const address = (p: Pointer): bigint => BigInt(Deno.UnsafePointer.value(p));

export const offset = (p: Pointer, bytes: number): Pointer =>
  Deno.UnsafePointer.create(address(p) + BigInt(bytes));

/** The memory itself, not a copy: valid as long as its owner is, see {@linkcode revoke}. */
export const bytesAt = (p: Pointer, length: number): Uint8Array<ArrayBuffer> =>
  p && length > 0 ? new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(p, length)) : new Uint8Array(0);

/** Ends a view of {@linkcode bytesAt}: it and all views of the same memory made from it are empty from now on. */
export const revoke = (view: Uint8Array<ArrayBuffer>): void => void view.buffer.transfer(0);

/** An array of pointers to buffers. The buffers must outlive the call it is for. */
export const pointersTo = (
  buffers: readonly (Uint8Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>)[],
): BigUint64Array<ArrayBuffer> =>
  BigUint64Array.from(buffers, (b) => b.byteLength > 0 ? address(Deno.UnsafePointer.of(b)) : 0n);

export const int64s = (values: readonly number[]): BigInt64Array<ArrayBuffer> =>
  BigInt64Array.from(values, (v) => BigInt(Math.trunc(v)));
