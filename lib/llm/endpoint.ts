import { z } from "zod";
import { Secret } from "./secret.ts";

/** A language model behind one or more OpenAI-compatible servers that all serve the same model. */
export interface Endpoint {
  /** Each with its version folder, e.g. "http://127.0.0.1:8000/v1". */
  readonly baseURLs: readonly string[];
  /** Name of the model on the server. */
  readonly model: string;
  /** Sent as a bearer token. */
  readonly apiKey?: Secret;
  /** Time that one attempt may take (default 120). */
  readonly timeoutSeconds?: number;
  /** Limits of the account over all servers together: requests are spaced so as to stay below them. */
  readonly requestsPerMinute?: number;
  /** See `requestsPerMinute`. */
  readonly tokensPerMinute?: number;
  /** Tokens that the model may think before it answers, on top of every request's own limit (default 0). */
  readonly reasoningTokens?: number;
  /** Per million tokens of prompts and of completions, in any currency. */
  readonly price?: { readonly input: number; readonly output: number };
}

const url = z.url({ protocol: /^https?$/ });

/**
 * The endpoint that the environment names: `${role}_URL` (one address, or several with commas between) and
 * `${role}_MODEL`; optional are `${role}_API_KEY`, `_TIMEOUT` (seconds), `_RPM` and `_TPM` (requests and tokens per
 * minute), `_REASONING_TOKENS` (for a model that thinks before it answers), `_PRICE_IN` and `_PRICE_OUT` (per million
 * tokens).
 *
 * @returns null if `${role}_URL` is not set
 * @throws if an address is not an http(s) URL or carries more than host, port and path, the model is not named, or a number
 * is none. No message repeats a value: a key may have been put into the wrong variable.
 */
export function endpoint(
  role: "TEACHER" | "JUDGE" | "JUDGE2" | "VISION",
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Endpoint | null {
  const text = (name: string) => env(`${role}_${name}`)?.trim() || undefined;
  const baseURLs = (text("URL") ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (baseURLs.length === 0) return null;
  baseURLs.forEach((address) => checkAddress(role, address));
  const model = text("MODEL");
  if (!model) {
    throw new Error(`${role}_URL is set but ${role}_MODEL is not; set it to the model's name on that server`);
  }
  const number = (name: string, unit: string, schema = z.coerce.number().positive()) => {
    const value = text(name);
    if (value === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new Error(
      `${role}_${name}: expected ${unit} as a number, found something else; correct or unset it`,
    );
  };
  const perMillion = z.coerce.number().nonnegative();
  const input = number("PRICE_IN", "the price of a million prompt tokens", perMillion);
  const output = number("PRICE_OUT", "the price of a million completion tokens", perMillion);
  if ((input === undefined) !== (output === undefined)) {
    throw new Error(
      `${role}_PRICE_IN and ${role}_PRICE_OUT: expected both or none, found one; set the other`,
    );
  }
  const key = text("API_KEY");
  const optional = {
    apiKey: key === undefined ? undefined : new Secret(key),
    timeoutSeconds: number(
      "TIMEOUT",
      "the seconds that one request may take",
      z.coerce.number().positive().max(86_400),
    ),
    requestsPerMinute: number("RPM", "requests per minute"),
    tokensPerMinute: number("TPM", "tokens per minute"),
    reasoningTokens: number(
      "REASONING_TOKENS",
      "the tokens that the model may think",
      z.coerce.number().int().nonnegative(),
    ),
    price: input === undefined || output === undefined ? undefined : { input, output },
  };
  const set = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { baseURLs: baseURLs.map((address) => address.replace(/\/+$/, "")), model, ...set };
}

function checkAddress(role: string, address: string): void {
  if (!url.safeParse(address).success) {
    throw new Error(
      `${role}_URL: expected addresses like http://host:8000/v1, found one that is not an http(s) URL; set it again`,
    );
  }
  const { username, password, search, hash } = new URL(address);
  if (username || password || search || hash) {
    throw new Error(
      `${role}_URL: expected host, port and path only, found a user name, password or query; put the key into ${role}_API_KEY`,
    );
  }
}
