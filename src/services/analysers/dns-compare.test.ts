import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { dnsTransport } from "#adapters/system/dns-transport.ts";
import { wordsOf } from "#services/findings/finding.ts";
import { fakeDns } from "../../../test/support/dns-server.ts";
import type { FakeAnswer } from "../../../test/support/dns-server.ts";
import { issue } from "../../../test/support/x509.ts";
import { askServer } from "./dns-ask.ts";
import { compareDns } from "./dns-compare.ts";
import type { CompareUse } from "./dns-compare.ts";
import type { TlsAttempt, TlsRequest } from "./ports.ts";

const never = new AbortController().signal;
const host = "proxy.golang.org";
const genuine = issue({ cn: host, dns: [host] });
const foreign = issue({ cn: "someone", dns: ["someone.example"] });

/** Who is at which address; nobody at the others. */
function prober(people: Readonly<Record<string, "genuine" | "foreign">>) {
  return {
    attempt: ({ address }: TlsRequest): Promise<TlsAttempt> => {
      const who = people[address];
      if (who === undefined)
        return Promise.resolve({ outcome: { kind: "failed", stage: "tcp", reason: "timeout", text: "no connection" } });
      const chain = [who === "genuine" ? genuine.der : foreign.der];
      const rest = { protocol: "TLSv1.3", cipher: "x", alpn: undefined, openssl: undefined };
      return Promise.resolve({ tcpMs: 1, outcome: { kind: "shaken", chain, ...rest } });
    },
    plainHttp: () => Promise.resolve(undefined),
  };
}

function use(people: Parameters<typeof prober>[0], system: readonly string[] = []): CompareUse {
  return {
    transport: dnsTransport(),
    announce: () => undefined,
    timeoutMs: 3_000,
    prober: prober(people),
    names: {
      lookup: () =>
        Promise.resolve(
          system.length === 0
            ? { failed: "ENOTFOUND" }
            : { found: system.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })) },
        ),
    },
  };
}

type Case = {
  readonly name: string;
  readonly servers: readonly FakeAnswer[];
  readonly people?: Parameters<typeof prober>[0];
  readonly codes: readonly string[];
};

const google = "142.250.1.1";
const good: FakeAnswer = { a: [google], ttl: 300 };

const cases: readonly Case[] = [
  { name: "agreeing servers", servers: [good, good], people: { [google]: "genuine" }, codes: [] },
  {
    name: "servers of a CDN that differ",
    servers: [good, { a: ["142.250.2.2"] }],
    people: { [google]: "genuine", "142.250.2.2": "genuine" },
    codes: [],
  },
  { name: "NXDOMAIN everywhere", servers: [{ code: 3, soa: 60 }], codes: ["DNS_NO_SUCH_NAME"] },
  {
    name: "NXDOMAIN of a filter",
    servers: [good, { code: 3 }],
    people: { [google]: "genuine" },
    codes: ["DNS_NXDOMAIN_SPLIT"],
  },
  {
    name: "an intranet name",
    servers: [{ code: 3 }, { a: ["10.1.5.20"], ttl: 60, authoritative: true }],
    codes: ["DNS_PRIVATE_VIEW"],
  },
  {
    name: "two views",
    servers: [good, { a: ["10.1.5.20"], ttl: 60 }],
    people: { [google]: "genuine", "10.1.5.20": "genuine" },
    codes: ["DNS_SPLIT_HORIZON"],
  },
  { name: "a known forgery", servers: [{ a: ["93.46.8.89"] }], codes: ["DNS_POISONED"] },
  { name: "an address of Facebook", servers: [{ a: ["31.13.94.37"] }], codes: ["DNS_POISONED"] },
  {
    name: "an injected answer before the true one",
    servers: [{ a: ["1.2.3.4"], then: good }],
    people: { [google]: "genuine" },
    codes: ["DNS_POISONED"],
  },
  {
    name: "somebody else's server",
    servers: [good, { a: ["9.9.8.8"] }],
    people: { [google]: "genuine", "9.9.8.8": "foreign" },
    codes: ["DNS_POISONED"],
  },
  {
    name: "a foreign certificate everywhere proves nothing",
    servers: [good],
    people: { [google]: "foreign" },
    codes: [],
  },
  { name: "a loopback address", servers: [{ a: ["127.0.0.1"] }], codes: ["DNS_BOGON"] },
  { name: "0.0.0.0", servers: [{ a: ["0.0.0.0"] }], codes: ["DNS_BOGON"] },
  {
    name: "a tunnel's address",
    servers: [{ a: ["198.18.0.7"] }],
    people: { "198.18.0.7": "genuine" },
    codes: ["DNS_FAKE_ADDRESS"],
  },
  {
    name: "AAAA that leads nowhere",
    servers: [{ a: [google], aaaa: ["2404:6800:4005:805:0:0:0:2011"] }],
    people: { [google]: "genuine" },
    codes: ["DNS_AAAA_BLACKHOLE"],
  },
  {
    name: "both families dead: no sign of IPv6",
    servers: [{ a: [google], aaaa: ["2404:6800:4005:805:0:0:0:2011"] }],
    codes: [],
  },
  { name: "silence", servers: [good, { silent: true }], people: { [google]: "genuine" }, codes: ["DNS_SERVER_SILENT"] },
  { name: "REFUSED", servers: [good, { code: 5 }], people: { [google]: "genuine" }, codes: ["DNS_SERVER_REFUSES"] },
  { name: "SERVFAIL", servers: [good, { code: 2 }], people: { [google]: "genuine" }, codes: ["DNS_SERVER_REFUSES"] },
  {
    name: "a short public TTL",
    servers: [
      { a: [google], ttl: 20 },
      { a: [google], ttl: 299 },
    ],
    people: { [google]: "genuine" },
    codes: ["DNS_TTL_SHORT"],
  },
  {
    name: "a long private TTL",
    servers: [{ a: ["10.1.5.20"], ttl: 61 }],
    people: { "10.1.5.20": "genuine" },
    codes: ["DNS_TTL_LONG"],
  },
  {
    name: "a malformed answer",
    servers: [good, { garbage: Buffer.of(0xc0, 0xff) }],
    people: { [google]: "genuine" },
    codes: ["DNS_SERVER_SILENT"],
  },
];

suite("dns compare of", () => {
  for (const { name, servers, people = {}, codes } of cases)
    test(name, { timeout: 60_000 }, async (t) => {
      const fakes = await Promise.all(servers.map((answer) => fakeDns(t, () => answer)));
      const target = { host, servers: fakes.map(({ port }) => ({ host: "127.0.0.1", port })), doh: [], port: 443 };
      const { report, findings } = await compareDns(target, use(people), never);
      assert.deepEqual(
        findings.map(({ code }) => code),
        codes,
        JSON.stringify(report, undefined, 1),
      );
      for (const finding of findings) assert.notEqual(wordsOf(finding, "en").title, wordsOf(finding, "zh-CN").title);
    });
});

suite("askServer()", () => {
  const question = { name: host, type: "A" } as const;
  const plain = { transport: dnsTransport(), announce: () => undefined, timeoutMs: 20_000 };

  test("passes over an answer with a foreign id", async (t) => {
    const { port } = await fakeDns(t, () => ({ ...good, liar: true }));
    const answer = await askServer({ host: "127.0.0.1", port }, question, plain, never);
    assert.deepEqual(answer.kind === "answered" && answer.addresses, [{ address: google, ttl: 300 }]);
    assert.deepEqual(answer.kind === "answered" && answer.rivals, []);
  });

  test("asks over TCP when the datagram was cut off", async (t) => {
    const { port, asked } = await fakeDns(t, () => ({ a: [google], cname: "alias.example", truncated: true }));
    const answer = await askServer({ host: "127.0.0.1", port }, question, plain, never);
    assert.ok(answer.kind === "answered");
    assert.deepEqual([answer.way, answer.addresses.length, answer.aliases], ["tcp", 1, ["alias.example"]]);
    assert.deepEqual(asked, [`udp ${host} A`, `tcp ${host} A`]);
  });

  test("tells authority, code and how long a denial lasts", async (t) => {
    const { port } = await fakeDns(t, () => ({ code: 3, soa: 60, authoritative: true }));
    const answer = await askServer({ host: "127.0.0.1", port }, question, plain, never);
    assert.ok(answer.kind === "answered");
    assert.deepEqual([answer.code, answer.isAuthoritative, answer.denialTtl], ["NXDOMAIN", true, 60]);
  });

  test("says every try before it is made, and gives up after two", async (t) => {
    const { port } = await fakeDns(t, () => ({ silent: true }));
    const calls: string[] = [];
    const use2 = { ...plain, timeoutMs: 100, announce: (call: string) => calls.push(call) };
    const answer = await askServer({ host: "127.0.0.1", port }, question, use2, never);
    assert.deepEqual([answer.kind, calls.length], ["failed", 2]);
  });

  test("ends when it is told to stop", async (t) => {
    const { port } = await fakeDns(t, () => ({ silent: true }));
    const stop = new AbortController();
    const answer = askServer({ host: "127.0.0.1", port }, question, plain, stop.signal);
    stop.abort();
    await assert.rejects(answer, { name: "AbortError" });
  });
});
