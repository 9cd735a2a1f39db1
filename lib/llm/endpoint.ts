import { z } from "zod";

/** A text that neither printing, JSON nor inspection shows. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** The text itself, for the one place that sends it. */
  reveal(): string {
    return this.#value;
  }
  /** `text` with every occurrence of the secret replaced. */
  redact(text: string): string {
    return this.#value === "" ? text : text.replaceAll(this.#value, "[redacted]");
  }
  toString(): string {
    return "[redacted]";
  }
  toJSON(): string {
    return "[redacted]";
  }
  [Symbol.for("Deno.customInspect")](): string {
    return "[redacted]";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[redacted]";
  }
}

/** A language model behind one or more OpenAI-compatible servers that all serve the same model. */
export interface Endpoint {
  /** Each with its version folder, e.g. "http://127.0.0.1:8000/v1". */
  readonly baseURLs: readonly string[];
  readonly model: string;
  readonly apiKey?: Secret;
}

const url = z.url({ protocol: /^https?$/ });

/**
 * The endpoint that the environment names: `${role}_URL` (one address, or several with commas between),
 * `${role}_MODEL`, `${role}_API_KEY` (optional).
 *
 * @returns null if `${role}_URL` is not set
 * @throws if an address is no http(s) URL, carries a user name or password, or the model is not named
 */
export function endpoint(
  role: "TEACHER" | "JUDGE",
  env: (name: string) => string | undefined = readEnv,
): Endpoint | null {
  const urls = env(`${role}_URL`)?.split(",").map((part) => part.trim()).filter((part) => part !== "") ?? [];
  if (urls.length === 0) return null;
  for (const address of urls) {
    const parsed = url.safeParse(address);
    if (!parsed.success) {
      throw new Error(
        `${role}_URL: expected addresses like http://host:8000/v1, found one that is no http(s) URL; set it again`,
      );
    }
    const { username, password } = new URL(address);
    if (username || password) {
      throw new Error(
        `${role}_URL: expected addresses without user name and password; put the key into ${role}_API_KEY`,
      );
    }
  }
  const model = env(`${role}_MODEL`);
  if (!model) {
    throw new Error(`${role}_URL is set but ${role}_MODEL is not; set it to the model's name on that server`);
  }
  const key = env(`${role}_API_KEY`);
  return {
    baseURLs: urls.map((address) => address.replace(/\/+$/, "")),
    model,
    ...(key ? { apiKey: new Secret(key) } : {}),
  };
}

function readEnv(name: string): string | undefined {
  return Deno.env.get(name);
}
