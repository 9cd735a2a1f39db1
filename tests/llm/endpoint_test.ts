import { assert, assertEquals, assertThrows } from "@std/assert";
import { endpoint } from "@lib/llm/mod.ts";
import { Secret } from "@lib/llm/secret.ts";

const env = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("an endpoint is read from the environment, with several addresses and without trailing slashes", () => {
  const found = endpoint(
    "TEACHER",
    env({ TEACHER_URL: "http://a:1/v1/, https://b/v1", TEACHER_MODEL: "m", JUDGE_URL: "http://c/v1" }),
  );
  assertEquals(found, { baseURLs: ["http://a:1/v1", "https://b/v1"], model: "m" });
});

Deno.test("no address means no endpoint, an address without model is an error", () => {
  assertEquals(endpoint("JUDGE", env({})), null);
  assertThrows(() => endpoint("JUDGE", env({ JUDGE_URL: "http://a/v1" })), Error, "JUDGE_MODEL");
});

Deno.test("an address that is no URL or carries a password is refused without repeating it", () => {
  for (
    const address of [
      "ftp://a/v1",
      "localhost",
      "http://me:hunter2@a/v1",
      "http://a/v1?key=hunter2",
      "http://a/#hunter2",
    ]
  ) {
    const error = assertThrows(
      () => endpoint("TEACHER", env({ TEACHER_URL: address, TEACHER_MODEL: "m" })),
      Error,
    );
    assert(!error.message.includes("hunter2"));
  }
});

Deno.test("limits, price and time are numbers, and no message repeats a value", () => {
  const values = { TEACHER_URL: "http://a/v1", TEACHER_MODEL: "m" };
  const limits = {
    TEACHER_RPM: "500",
    TEACHER_TPM: "2e5",
    TEACHER_TIMEOUT: " 7.5 ",
    TEACHER_REASONING_TOKENS: "2000",
  };
  const price = { TEACHER_PRICE_IN: "0", TEACHER_PRICE_OUT: "0.6" };
  assertEquals(endpoint("TEACHER", env({ ...values, ...limits, ...price, TEACHER_API_KEY: "" })), {
    baseURLs: ["http://a/v1"],
    model: "m",
    timeoutSeconds: 7.5,
    requestsPerMinute: 500,
    tokensPerMinute: 200_000,
    reasoningTokens: 2000,
    price: { input: 0, output: 0.6 },
  });
  for (const name of ["RPM", "TPM", "TIMEOUT", "PRICE_IN"]) {
    for (const wrong of ["sk-planted", "-1", "1e999", name === "PRICE_IN" ? "free" : "0"]) {
      const set = { ...values, ...price, [`TEACHER_${name}`]: wrong };
      const error = assertThrows(() => endpoint("TEACHER", env(set)), Error, `TEACHER_${name}: expected`);
      assert(!error.message.includes(wrong), error.message);
    }
  }
  assertThrows(() => endpoint("TEACHER", env({ ...values, TEACHER_TIMEOUT: "100000" })), Error, "TIMEOUT");
  assertThrows(() => endpoint("TEACHER", env({ ...values, TEACHER_PRICE_IN: "1" })), Error, "both or none");
  const odd = { ...values, TEACHER_API_KEY: "sk-plänted" };
  assert(!assertThrows(() => endpoint("TEACHER", env(odd)), Error).message.includes("sk-pl"));
});

Deno.test("a key shows in no text, JSON or inspection of the endpoint", () => {
  const values = { TEACHER_URL: "http://a/v1", TEACHER_MODEL: "m", TEACHER_API_KEY: "sk-planted" };
  const found = endpoint("TEACHER", env(values))!;
  assert(found.apiKey instanceof Secret);
  assertEquals(found.apiKey.reveal(), "sk-planted");
  const shown = [
    JSON.stringify(found),
    Deno.inspect(found),
    `${found.apiKey}`,
    String(Object.values(found.apiKey)),
  ];
  for (const text of shown) assert(!text.includes("sk-planted"), text);
});
