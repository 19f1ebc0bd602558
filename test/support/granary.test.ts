import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startGranary } from "./granary.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "granary-helper-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function program(text: string): Promise<string> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(file, text);
  return file;
}

test("startGranary() passes flags on, waits for the ready line and stops with SIGTERM", async () => {
  const file = await program(`
    process.stderr.write(process.argv.slice(2).join(" ") + " HOME=" + process.env.HOME + "\\n");
    process.on("SIGTERM", () => process.exit(7));
    setTimeout(() => console.log("granary listening on http://127.0.0.1:4567"), 50);
    setInterval(() => {}, 1000);
  `);
  const running = await startGranary({
    program: file,
    upstream: "http://127.0.0.1:1",
    sumdb: ["a", "b"],
    private: "x/*",
  });
  assert.equal(running.url, "http://127.0.0.1:4567");
  assert.match(running.stderr(), /serve --listen=127\.0\.0\.1:0 .*--upstream=http:\S+ --sumdb=a --sumdb=b --private=x/);
  const home = /HOME=(\S+)/.exec(running.stderr())?.[1] ?? "";
  assert.ok(existsSync(home));
  assert.equal(await running.stop(), 7);
  assert.equal(await running.stop(), 7);
  assert.ok(!existsSync(home));
});

test("startGranary() throws with stderr when the server ends before it is ready", async () => {
  const file = await program(`process.stderr.write("port taken\\n"); process.exit(3);`);
  await assert.rejects(startGranary({ program: file, upstream: "off" }), /ended with 3[^]*port taken/);
});

test("the preload forbids dialling anything but loopback, fetch included", () => {
  const guard = join(import.meta.dirname, "no-net.ts");
  const script = `
    const net = await import("node:net");
    const results = [];
    for (const host of ["192.0.2.1", "example.com"]) {
      try { net.connect({ host, port: 9 }); results.push("dialled"); } catch { results.push("forbidden"); }
    }
    results.push(await fetch("http://192.0.2.1:18080/").then(() => "fetched", (error) => String(error.cause ?? error)));
    const server = net.createServer((socket) => socket.end()).listen(0, "127.0.0.1", () => {
      net.connect(server.address().port, "127.0.0.1").on("close", () => { console.log(JSON.stringify(results)); server.close(); }).resume();
    });
  `;
  const done = spawnSync(process.execPath, ["--import", guard, "--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  const [first, second, fetched] = JSON.parse(done.stdout) as string[];
  assert.deepEqual([first, second], ["forbidden", "forbidden"]);
  assert.match(fetched ?? "", /loopback only/);
});
