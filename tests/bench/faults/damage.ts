/** Ways to damage files at random; equal random numbers give equal damage. */

type Bytes = Uint8Array<ArrayBuffer>;
type Random = () => number;

/** A copy of `bytes` with one to eight faults: bytes changed, pieces left out, doubled, or cut off. */
export function damaged(bytes: Bytes, random: Random): Bytes {
  const below = (n: number) => Math.floor(random() * n);
  let copy = bytes.slice();
  for (let faults = 1 + below(8); faults > 0 && copy.length > 0; faults--) {
    const at = below(copy.length), length = 1 + below(40), kind = below(10);
    if (kind < 6) copy[at] = random() < 0.5 ? below(256) : copy[at] ^ (1 << below(8));
    else if (kind === 6) copy.fill(random() < 0.5 ? 0 : 255, at, at + length);
    else if (kind === 9) copy = copy.slice(0, at);
    else {
      const rest = kind === 7 ? at + length : at; // left out, or doubled
      const parts = [copy.subarray(0, kind === 7 ? at : at + length), copy.subarray(rest)];
      copy = new Uint8Array(parts[0].length + parts[1].length);
      copy.set(parts[0]);
      copy.set(parts[1], parts[0].length);
    }
  }
  return copy;
}

// deno-fmt-ignore
const NASTY: readonly unknown[] = [
  null, true, false, -1, 0, 0.5, 3_000_000, 2 ** 31, 2 ** 53, 2 ** 58, 1e308, "", "x", "a".repeat(20_000), "(a+)+$",
  "(?=(a*)*b)", "../../x", "\u0000", [], {}, [[[[[[]]]]]], [4294967296, 4294967296, 0], [0, 2 ** 60], ["a", "a"],
  { Regex: "(a|a)*$" }, { type: "Sequence", normalizers: [] }, Array(5000).fill(1),
];

/** One of them. */
export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)];

/** Changes one value somewhere in a JSON document. */
export function damageJson(json: unknown, random: Random): unknown {
  let at = json as Record<string, unknown>;
  for (let depth = 0;; depth++) {
    const keys = Object.keys(at);
    if (!keys.length) return json;
    const key = pick(random, keys), inner = at[key];
    if (
      typeof inner === "object" && inner !== null && Object.keys(inner).length && random() < 0.8 && depth < 6
    ) {
      at = inner as Record<string, unknown>;
      continue;
    }
    const what = random();
    if (what < 0.15 && !Array.isArray(at)) delete at[key];
    else if (what < 0.3 && !Array.isArray(at)) at[`${key}_`] = inner;
    else at[key] = pick(random, NASTY);
    return json;
  }
}

/** {@link damageJson} of a JSON file. */
export const damageJsonBytes = (bytes: Uint8Array, random: Random): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(damageJson(JSON.parse(new TextDecoder().decode(bytes)), random)));

/** Changes, cuts or inserts some bytes of the first `span`. */
export function damageBytes(bytes: Uint8Array, span: number, random: Random): Uint8Array {
  const at = Math.floor(random() * span), what = random();
  if (what < 0.2) return bytes.slice(0, at);
  const out = bytes.slice(), n = 1 + Math.floor(random() * 4);
  for (let i = 0; i < n; i++) out[(at + i) % out.length] = Math.floor(random() * 256);
  return what < 0.8 ? out : Uint8Array.from([...out.subarray(0, at), 0x5b, ...out.subarray(at)]);
}
