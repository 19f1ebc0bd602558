// The codec and the transport against a DNS server that others wrote. dnsmasq is not everywhere.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { askServer } from "#services/analysers/dns-ask.ts";
import type { DnsAnswer } from "#services/analysers/dns-ask.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { skipLoudly } from "../../../test/support/go.ts";
import { dnsTransport } from "./dns-transport.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

test("dnsmasq answers over UDP, and over TCP what does not fit", { timeout: 120_000 }, async (t) => {
  const port = await freePort();
  // Two hundred addresses are more than 1,232 bytes.
  const many = Array.from({ length: 200 }, (_, i) => `--host-record=many.test,10.1.${i >> 6}.${(i & 63) + 1}`);
  const own = [
    "-k",
    "-C",
    "/dev/null",
    "-p",
    String(port),
    "-a",
    "127.0.0.1",
    "--bind-interfaces",
    "--no-hosts",
    "--no-resolv",
  ];
  const rules = ["--address=/corp.test/10.1.5.20", "--local=/test/", "--local-ttl=60", "--auth-ttl=60"];
  const child = spawn("dnsmasq", [...own, "--pid-file=", "--user=", ...rules, ...many], { stdio: "ignore" });
  const failed = await Promise.race([
    once(child, "error").then(() => "absent"),
    once(child, "spawn").then(() => undefined),
  ]);
  if (failed !== undefined) {
    skipLoudly(t, "no `dnsmasq` on PATH");
    return;
  }
  atEnd(t, async () => {
    const ended = once(child, "exit");
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await ended;
  });
  const use = { transport: dnsTransport(), announce: () => undefined, timeoutMs: 20_000 };
  const ask = async (name: string, type: "A" | "AAAA"): Promise<DnsAnswer> => {
    for (let tries = 0; ; tries++) {
      const answer = await askServer({ host: "127.0.0.1", port }, { name, type }, use, t.signal);
      // Nobody listens yet: the kernel says so at once.
      if (answer.kind === "answered" || answer.reason !== "refused" || tries > 100) return answer;
      await sleep(100);
    }
  };
  const one = await ask("corp.test", "A");
  assert.ok(one.kind === "answered", JSON.stringify(one));
  assert.deepEqual([one.code, one.way, one.addresses], ["NOERROR", "udp", [{ address: "10.1.5.20", ttl: 60 }]]);
  const none = await ask("nobody.test", "A");
  assert.equal(none.kind === "answered" && none.code, "NXDOMAIN");
  const all = await ask("many.test", "A");
  assert.ok(all.kind === "answered", JSON.stringify(all));
  assert.deepEqual([all.way, all.addresses.length], ["tcp", 200]);
});
