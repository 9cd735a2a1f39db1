import { type Endpoint } from "./endpoint.ts";

/**
 * Whether an address is this machine itself: 127.0.0.0/8, ::1 or localhost, as the URL standard reads them (which is
 * what `fetch` connects to: "0x7f000001" is 127.0.0.1, "127.0.0.1.example.com" and "127.0.0.1@example.com" are not).
 *
 * What a server on this machine does with a request is its own affair: one that forwards it is not noticed.
 */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * Refuses to send rows to a server of somebody else where their data use agreement forbids it (MIMIC-CXR).
 *
 * @param count requests with such rows, of `total`
 * @throws if there are any and an address of the endpoint is not this machine
 */
export function refuseThirdParties(endpoint: Endpoint, count: number, total: number): void {
  const outside = endpoint.baseURLs.find((address) => !isLoopback(address));
  if (count === 0 || outside === undefined) return;
  throw new Error(
    `${count} of ${total} requests carry rows that must not be sent to a third party, but ${
      new URL(outside).host
    } is not this machine; nothing was sent: start a server here (http://127.0.0.1:8000/v1) or leave these rows out`,
  );
}

/**
 * A client for servers on this machine that no proxy of the environment (HTTP_PROXY, ALL_PROXY) stands before.
 * Deno reads NO_PROXY when a client is made; nothing else runs in between.
 */
export function directClient(): Deno.HttpClient {
  const names = ["NO_PROXY", "no_proxy"];
  const before = names.map((name) => Deno.env.get(name));
  names.forEach((name) => Deno.env.set(name, "127.0.0.0/8,::1,localhost"));
  try {
    return Deno.createHttpClient({});
  } finally {
    names.forEach((name, i) => {
      const value = before[i];
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    });
  }
}
