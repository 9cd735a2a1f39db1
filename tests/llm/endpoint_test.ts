import { assert, assertEquals, assertThrows } from "@std/assert";
import { endpoint, Secret } from "@lib/llm/mod.ts";

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
  for (const address of ["ftp://a/v1", "localhost", "http://me:hunter2@a/v1"]) {
    const error = assertThrows(
      () => endpoint("TEACHER", env({ TEACHER_URL: address, TEACHER_MODEL: "m" })),
      Error,
    );
    assert(!error.message.includes("hunter2"));
  }
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
