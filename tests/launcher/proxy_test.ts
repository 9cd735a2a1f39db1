import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

Deno.test("behind a proxy, what is far is asked through it, servers on this machine and in NO_PROXY are not", async () => {
  const asked: string[] = [];
  const answer = (request: Request) => {
    asked.push(request.headers.get("host")!);
    return new Response("proxy");
  };
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const proxy = Deno.serve(quiet, answer), server = Deno.serve(quiet, () => new Response("server"));
  const folder = await Deno.makeTempDir({ prefix: "proxy-" }), script = join(folder, "ask.ts");
  await Deno.writeTextFile(
    script,
    `for (const url of Deno.args) console.log(await fetch(url).then((r) => r.text(), () => "no answer"));`,
  );
  const at = (port: number, host = "127.0.0.1") => `http://${host}:${port}/`;
  const HTTP_PROXY = at(proxy.addr.port);
  try {
    const { stdout } = await new Deno.Command(join(paths.root, "lab"), {
      args: [
        ...["deno", "run", "-A", "--no-lock", "--no-config", script],
        at(server.addr.port),
        at(server.addr.port, "localhost"),
        "http://far.invalid/",
        "http://near.invalid/",
      ],
      env: { HTTP_PROXY, http_proxy: HTTP_PROXY, NO_PROXY: "near.invalid", no_proxy: "" },
      stdin: "null",
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "server\nserver\nproxy\nno answer\n");
    assertEquals(asked, ["far.invalid"]);
  } finally {
    await Promise.all([proxy.shutdown(), server.shutdown()]);
    await Deno.remove(folder, { recursive: true });
  }
});
