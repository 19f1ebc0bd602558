// `granary doctor` on machines whose names go wrong, each a network namespace with resolvers, a hosts file and addresses of
// its own: the program meets them as it would anywhere. Needs to be allowed to make namespaces (Linux, root); skipped
// loudly elsewhere.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { fakeDns } from "../support/dns-server.ts";
import type { FakeAnswer } from "../support/dns-server.ts";
import { codesOf, openDoctorRoom } from "../support/doctor-room.ts";
import type { Told } from "../support/doctor-room.ts";
import { skipLoudly } from "../support/go.ts";
import { startHttpWorld } from "../support/http-world.ts";
import { listen } from "../support/loopback.ts";

/** The resolver of the machine, and the ones that everybody may ask. */
const system = "10.53.0.53";
const others = ["223.5.5.5", "114.114.114.114", "8.8.8.8", "1.1.1.1"];
/** Where the proxy really is; a public address, so that nothing of it looks odd. */
const home = "142.250.66.14";
/** One that everybody may ask about. */
const host = "goproxy.cn";
const own = "goproxy.corp-example.net";
const inside = "GRANARY_IN_NAMESPACE";

/** What stands between the words is run inside, with /etc/hosts and /etc/resolv.conf of its own. */
const script = `set -e
dir=$(mktemp -d)
: > $dir/hosts
echo "nameserver ${system}" > $dir/resolv.conf
mount --bind $dir/hosts /etc/hosts
mount --bind $dir/resolv.conf /etc/resolv.conf
ip link set lo up
for address in ${[system, ...others, home].join(" ")}; do ip address add $address/32 dev lo; done
exec "$@"`;

if (process.env[inside] === undefined)
  test("names that go wrong, in namespaces", { timeout: 300_000 }, (t) => {
    const tried = spawnSync("unshare", ["-mn", "sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts"]);
    if (tried.status !== 0) {
      skipLoudly(t, "no network namespaces here");
      return;
    }
    const file = fileURLToPath(import.meta.url);
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap", file];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "NODE_TEST_CONTEXT"));
    const ran = spawnSync("unshare", ["-mn", "sh", "-c", script, "sh", ...node], {
      env: { ...env, NODE_OPTIONS: "", [inside]: "1" },
      encoding: "utf8",
      timeout: 240_000,
    });
    assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
    assert.match(ran.stdout, /^# pass [6-9]$/m);
  });
else inNamespace();

type Names = {
  /** What the machine's own resolver says, and what all others say. */
  readonly mine: (question: string) => FakeAnswer;
  readonly all?: (question: string) => FakeAnswer;
  readonly hosts?: string;
};

function inNamespace(): void {
  const answers =
    (of: Readonly<Record<string, FakeAnswer>>) =>
    (question: string): FakeAnswer =>
      of[question.split(" ")[0] ?? ""] ?? { code: 3, soa: 60 };
  const right = answers({ [host]: { a: [home] }, [own]: { a: [home] } });

  async function ask(
    t: TestContext,
    { mine, all = right, hosts = "" }: Names,
    env?: Readonly<Record<string, string>>,
  ): Promise<Told & { readonly outside: readonly string[] }> {
    await fakeDns(t, mine, { host: system, port: 53 });
    const outside: string[] = [];
    const heard = (question: string): FakeAnswer => (outside.push(question), all(question));
    for (const server of others) await fakeDns(t, heard, { host: server, port: 53 });
    writeFileSync("/etc/hosts", hosts);
    const [room, world] = [await openDoctorRoom(t), await startHttpWorld(t)];
    await listen(t, createServer(world.listener()), { host: home, port: 8080 });
    const set = env ?? { GOPROXY: `http://${host}:8080`, GOSUMDB: world.database.verifierKey };
    return { ...(await room.doctor(set, ["--module=example.com/hello@v1.0.0"])), outside };
  }

  const firstIs = (told: Told, code: string): void =>
    assert.equal(told.report.findings[0]?.code, code, codesOf(told).join("\n"));

  test("every resolver says the same", async (t) => {
    const told = await ask(t, { mine: right });
    assert.deepEqual([told.code, codesOf(told).filter((code) => !code.startsWith("info"))], [0, []]);
  });
  test("the name of a company's own proxy is told to nobody outside", async (t) => {
    const env = { GOPROXY: `http://${own}:8080`, GOSUMDB: "off" };
    const told = await ask(t, { mine: right }, env);
    assert.deepEqual(
      told.outside.filter((question) => question.includes(own)),
      [],
    );
    assert.ok(
      told.report.checks.some(({ id, state }) => id === "requests" && state === "ok"),
      codesOf(told).join(),
    );
  });
  test("nobody knows the name", async (t) => {
    firstIs(await ask(t, { mine: answers({}), all: answers({}) }), "DNS_NO_SUCH_NAME");
  });
  test("only this machine's resolver does not know the name", async (t) => {
    const told = await ask(t, { mine: answers({}) });
    assert.match(
      told.report.findings[0]?.code ?? "",
      /^DNS_(?:NO_SUCH_NAME|NXDOMAIN_SPLIT)$/,
      codesOf(told).join("\n"),
    );
  });
  test("an answer that filters are known for", async (t) => {
    firstIs(await ask(t, { mine: answers({ [host]: { a: ["243.185.187.39"] } }) }), "DNS_POISONED");
  });
  test("an old line in the hosts file", async (t) => {
    firstIs(await ask(t, { mine: right, hosts: `142.250.66.99 ${host}\n` }), "DNS_HOSTS_DIFFERS");
  });
  test("nobody chose a proxy, and the official one is out of reach", async (t) => {
    const official = "proxy.golang.org";
    const dead = answers({ [official]: { a: ["142.250.66.15"] } });
    firstIs(await ask(t, { mine: dead, all: dead }, { GOPROXY: "" }), "CHAIN_OVERRIDE_REQUIRED");
  });
}
