import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { dnsTransport } from "#adapters/system/dns-transport.ts";
import { fakeDns } from "../../../test/support/dns-server.ts";
import { planFlush } from "./dns-flush.ts";
import { whichDns } from "./dns-which.ts";
import type { WhichTarget, WhichUse } from "./dns-which.ts";
import { whichResolver } from "./go-resolver.ts";
import type { ResolverFacts } from "./go-resolver.ts";
import { hostsLinesFor, parseNsswitch, parseResolvConf } from "./resolver-files.ts";

const never = new AbortController().signal;
const host = "goproxy.cn";

suite("whichResolver()", () => {
  const nss = (text: string) => parseNsswitch(`hosts: ${text}\n`);
  const usual: ResolverFacts = {
    host,
    platform: "linux",
    env: {},
    hasCgo: true,
    hostname: "box",
    nss: nss("files dns"),
    resolv: { unknown: undefined },
    hasMdnsAllow: false,
  };
  const cases: readonly (readonly [string, Partial<ResolverFacts>, string, string])[] = [
    ["plain", {}, "files,dns", "nsswitch.conf"],
    ["dns first", { nss: nss("dns files") }, "dns,files", "nsswitch.conf"],
    ["no nsswitch.conf", { nss: undefined }, "files,dns", "nsswitch.conf"],
    ["hosts alone", { nss: nss("files") }, "files", "nsswitch.conf"],
    ["without cgo", { hasCgo: false }, "files,dns", "no-cgo"],
    ["without cgo netdns=cgo is idle", { hasCgo: false, env: { GODEBUG: "netdns=cgo" } }, "files,dns", "no-cgo"],
    ["netdns=cgo", { env: { GODEBUG: "http2client=0,netdns=cgo+1" } }, "cgo", "godebug"],
    ["netdns=go", { nss: nss("files ldap"), env: { GODEBUG: "netdns=2+go" } }, "files,dns", "godebug"],
    ["a level alone", { env: { GODEBUG: "netdns=1" } }, "files,dns", "nsswitch.conf"],
    ["an unknown source", { nss: nss("files ldap dns") }, "cgo", "nsswitch.conf"],
    ["an unknown source without cgo", { nss: nss("files ldap dns"), hasCgo: false }, "files,dns", "no-cgo"],
    ["only an unknown source, without cgo", { nss: nss("resolve"), hasCgo: false }, "dns", "no-cgo"],
    ["mdns of another name", { nss: nss("files mdns4_minimal [NOTFOUND=return] dns") }, "files,dns", "nsswitch.conf"],
    [
      "mdns of .local",
      { nss: nss("files mdns4_minimal [NOTFOUND=return] dns"), host: "nas.local" },
      "cgo",
      "nsswitch.conf",
    ],
    ["mdns.allow", { nss: nss("files mdns dns"), hasMdnsAllow: true }, "cgo", "nsswitch.conf"],
    ["myhostname of this machine", { nss: nss("files dns myhostname"), host: "BOX" }, "cgo", "nsswitch.conf"],
    ["myhostname of another", { nss: nss("files dns myhostname") }, "files,dns", "nsswitch.conf"],
    ["criteria that change something", { nss: nss("files [SUCCESS=continue] dns") }, "cgo", "nsswitch.conf"],
    [
      "criteria that change nothing",
      { nss: nss("files [NOTFOUND=continue SUCCESS=return] dns [!UNAVAIL=return]") },
      "cgo",
      "nsswitch.conf",
    ],
    ["an empty LOCALDOMAIN", { env: { LOCALDOMAIN: "" } }, "cgo", "environment"],
    ["an empty RES_OPTIONS is none", { env: { RES_OPTIONS: "" } }, "files,dns", "nsswitch.conf"],
    ["an unknown option", { resolv: { unknown: "inet6" } }, "cgo", "resolv.conf"],
    ["an odd name", { host: "a%b" }, "cgo", "name"],
    ["macOS", { platform: "darwin", hasCgo: false }, "cgo", "platform"],
    ["Windows", { platform: "win32", hasCgo: false }, "cgo", "platform"],
    [
      "Windows with netdns=go",
      { platform: "win32", hasCgo: false, env: { GODEBUG: "netdns=go" } },
      "files,dns",
      "godebug",
    ],
    ["a malformed nsswitch.conf", { nss: "malformed" }, "cgo", "nsswitch.conf"],
    ["a malformed nsswitch.conf without cgo", { nss: "malformed", hasCgo: false }, "files,dns", "no-cgo"],
  ];
  for (const [name, change, order, because] of cases)
    test(name, () => {
      const choice = whichResolver({ ...usual, ...change });
      assert.deepEqual([choice.order, choice.because], [order, because]);
      assert.equal(choice.resolver === "cgo", order === "cgo");
    });
});

test("parseResolvConf() takes three servers, and the first unknown word", () => {
  const text =
    "# x\nnameserver 10.0.0.1 \nnameserver bad\nnameserver fe80::1%eth0\nnameserver 1.1.1.1\nnameserver 8.8.8.8\nsearch a.corp b.corp\noptions edns0 ndots:2 inet6\n";
  assert.deepEqual(parseResolvConf(text), {
    servers: ["10.0.0.1", "fe80::1%eth0", "1.1.1.1"],
    search: ["a.corp", "b.corp"],
    unknown: "inet6",
  });
  assert.deepEqual(parseResolvConf("").servers, ["127.0.0.1", "::1"]);
});

test("hostsLinesFor() knows aliases, case and comments", () => {
  const text =
    "127.0.0.1 localhost\n10.0.0.9\tgit.corp GOPROXY.cn # old\n#10.0.0.8 goproxy.cn\nnot-an-ip goproxy.cn\n1.2.3.4 notgoproxy.cn\n";
  assert.deepEqual(hostsLinesFor(host, text), [
    { line: 2, text: "10.0.0.9\tgit.corp GOPROXY.cn # old", address: "10.0.0.9" },
  ]);
});

suite("dns which", () => {
  type World = {
    readonly files?: Readonly<Record<string, string>>;
    readonly system?: readonly string[];
    readonly port: number;
  };
  const target = (port: number): WhichTarget => ({
    host,
    platform: "linux",
    env: {},
    hostname: "box",
    systemRoot: "",
    go: { version: "go1.26.8", hasCgo: false },
    servers: [{ host: "127.0.0.1", port }],
  });
  const use = ({ files = {}, system }: World): WhichUse => ({
    transport: dnsTransport(),
    announce: () => undefined,
    timeoutMs: 3_000,
    names: {
      lookup: () =>
        Promise.resolve(
          system === undefined ? { failed: "ENOTFOUND" } : { found: system.map((address) => ({ address, family: 4 })) },
        ),
      readText: (path) => Promise.resolve(files[path] === undefined ? "absent" : { text: files[path] }),
      exists: () => Promise.resolve(false),
    },
  });

  test("names the line of the hosts file that differs from DNS, and how to take it away", async (t) => {
    const { port } = await fakeDns(t, () => ({ a: ["1.2.3.4"] }));
    const files = { "/etc/hosts": "127.0.0.1 localhost\n10.0.0.9 goproxy.cn\n" };
    const { report, findings } = await whichDns(target(port), use({ files, system: ["10.0.0.9"], port }), never);
    assert.deepEqual(report.answerer, {
      kind: "hosts",
      line: { line: 2, text: "10.0.0.9 goproxy.cn", address: "10.0.0.9" },
    });
    assert.deepEqual(report.goAddresses, ["10.0.0.9"]);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["DNS_HOSTS_DIFFERS"],
    );
    assert.deepEqual(findings[0]?.fixes, [
      { kind: "edit", file: "/etc/hosts", line: 2, before: "10.0.0.9 goproxy.cn" },
    ]);
  });

  test("names the server that answered", async (t) => {
    const { port } = await fakeDns(t, () => ({ a: ["1.2.3.4"] }));
    const { report, findings } = await whichDns(target(port), use({ system: ["1.2.3.4"], port }), never);
    assert.deepEqual(report.answerer, { kind: "server", server: `127.0.0.1:${port}` });
    assert.deepEqual(findings, []);
  });

  test("says when the system knows a name that go cannot find", async (t) => {
    const { port } = await fakeDns(t, () => ({ code: 3 }));
    const files = { "/etc/nsswitch.conf": "hosts: files mymachines dns\n" };
    const { report, findings } = await whichDns(target(port), use({ files, system: ["10.2.2.2"], port }), never);
    assert.deepEqual(report.answerer, { kind: "nss" });
    assert.deepEqual([report.goAddresses, report.withCgo.order], [[], "cgo"]);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["DNS_GO_DIFFERS"],
    );
  });

  test("says when nobody knows the name", async (t) => {
    const { port } = await fakeDns(t, () => ({ code: 3 }));
    const { findings } = await whichDns(target(port), use({ port }), never);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["DNS_NO_SUCH_NAME"],
    );
  });
});

suite("planFlush()", () => {
  const there = (...paths: string[]) => ({ exists: (path: string) => Promise.resolve(paths.includes(path)) });
  const commands = async (platform: string, names: ReturnType<typeof there>) =>
    (await planFlush(platform, names)).flatMap(({ fixes }) => fixes.map(({ argv }) => argv.join(" ")));
  test("finds what keeps answers", async () => {
    assert.deepEqual(await commands("linux", there("/run/systemd/resolve/resolv.conf", "/run/nscd/socket")), [
      "resolvectl flush-caches",
      "nscd -i hosts",
    ]);
    assert.deepEqual(await commands("linux", there("/run/dnsmasq.pid")), ["systemctl restart dnsmasq"]);
    assert.deepEqual(await commands("darwin", there()), ["dscacheutil -flushcache", "killall -HUP mDNSResponder"]);
    assert.deepEqual(await commands("win32", there()), ["ipconfig /flushdns"]);
  });
  test("says nothing where nothing does", async () => assert.deepEqual(await commands("linux", there()), []));
});
