// What the HTTP analysers need, built for this machine: its egress proxies, its trusted authorities, its netrc, a prover
// that keeps nothing.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { askGoEnv } from "#adapters/system/go-command.ts";
import { httpProber } from "#adapters/system/http-probe.ts";
import { systemNames } from "#adapters/system/system-names.ts";
import { dial } from "#adapters/upstream/dial.ts";
import { parseProxy, proxyRule } from "#adapters/upstream/no-proxy.ts";
import type { ProxyRule } from "#adapters/upstream/no-proxy.ts";
import { openTunnel } from "#adapters/upstream/tunnel.ts";
import { toolchainVersion } from "#protocol/gover.ts";
import { findNetrc, maxNetrcBytes, parseNetrc } from "#protocol/netrc.ts";
import { goDefaultProxyList, sumdbName } from "#protocol/official.ts";
import type { HttpProber, RecordProver } from "#services/analysers/http-ports.ts";
import type { SimulateUse } from "#services/analysers/http-simulate.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { readGoEnv } from "./go-env.ts";
import type { Machine } from "./go-env.ts";

/**
 * A prober for this machine. `via`: an egress proxy for everything, in place of the environment's. `lookup`: addresses of
 * a host, in place of a question to the system for each connection.
 */
export async function machineProber(machine: Machine, via?: string, lookup?: HostLookup): Promise<HttpProber> {
  return httpProber({ proxyFor: egressOf(machine, via), dial, openTunnel, ca: await trustedRoots(machine), lookup });
}

export type HostLookup = (host: string) => Promise<readonly string[]>;

/** Each name is asked once: a burst of the same questions is what small resolvers drop. */
export function rememberedLookup(): HostLookup {
  const known = new Map<string, Promise<readonly string[]>>();
  return (host) => {
    const found = known.get(host) ?? systemAddresses(host);
    known.set(host, found);
    return found;
  };
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  const answer = await systemNames().lookup(host);
  if ("found" in answer) return answer.found.map(({ address }) => address);
  throw Object.assign(new Error(`getaddrinfo ${answer.failed} ${host}`), { code: answer.failed });
}

/** The egress proxy of a URL. Throws GRANARY_BAD_FLAG. */
export function egressOf({ env }: Machine, via?: string): ProxyRule {
  if (via !== undefined) {
    const proxy = parsedProxy(via);
    if (proxy === undefined)
      throw new GranaryError("GRANARY_BAD_FLAG", {
        flag: "--via",
        value: "…",
        accepted: "http[s]://[user:pass@]HOST:PORT",
      });
    return () => proxy;
  }
  const read = (name: string): string => [env[name], env[name.toLowerCase()]].find((value) => value) ?? "";
  const usable = (value: string): string => (parsedProxy(value) === undefined ? "" : value); // as go, which goes without
  return proxyRule({ http: usable(read("HTTP_PROXY")), https: usable(read("HTTPS_PROXY")), no: read("NO_PROXY") });
}

function parsedProxy(text: string): URL | undefined {
  try {
    return parseProxy(text);
  } catch {
    return undefined;
  }
}

/** Of a file of authorities; Debian's whole bundle has 220 kB. */
const maxRootsBytes = 16 * 1024 * 1024;

/** What go trusts: the system's authorities, or the file that SSL_CERT_FILE names. Undefined for Node's own list. */
async function trustedRoots({ env }: Machine): Promise<readonly string[] | undefined> {
  const file = env["SSL_CERT_FILE"] ?? "";
  if (file !== "") {
    try {
      return [(await readFile(file, "utf8")).slice(0, maxRootsBytes)];
    } catch {
      // go goes on without a file that it cannot read.
    }
  }
  const system = getCACertificates("system");
  return system.length > 0 ? system : undefined;
}

/** Proves records with a mirror in memory that has one route. */
export const memoryProver: RecordProver = {
  prove: async (id, { key, ask, signal }) => {
    const route = {
      name: "database",
      knows: true,
      fetch: async (path: string, maxBytes: number) => {
        try {
          return await ask(path, maxBytes);
        } catch (error) {
          signal.throwIfAborted();
          throw new UpstreamFault("database", "unreachable", error instanceof Error ? error.message : String(error));
        }
      },
    };
    const mirror = new SumdbMirror({ key, routes: [route], storage: new MemoryStorage(), clock: systemClock });
    try {
      // Not to be put again and again: what is shown is what one lookup meets.
      const { sums, id: record, treeSize } = await mirror.lookup(id, { signal, isHurried: true });
      return { kind: "proven", sums, record, treeSize };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SumdbError)) throw error;
      return error.code === "SUMDB_ABSENT" ? { kind: "absent" } : { kind: "unproven", reason: reasonOf(error) };
    } finally {
      mirror.close();
    }
  },
};

function reasonOf({ message, tried }: SumdbError): string {
  return tried[0]?.reason ?? message;
}

/** Credentials of this machine's netrc, as go sends them over https. */
export async function netrcAuthorization(machine: Machine): Promise<(url: URL) => string | undefined> {
  const { env, platform, home } = machine;
  const chosen = env["NETRC"] ?? "";
  const files =
    chosen !== "" ? [chosen] : [...(platform === "win32" ? [join(home, "_netrc")] : []), join(home, ".netrc")];
  if ((await readGoEnv("GOAUTH", machine))?.value === "off") return () => undefined;
  for (const file of files) {
    const text = await machine.readFile(file).catch(() => undefined);
    if (text === undefined) continue;
    const entries = parseNetrc(text.slice(0, maxNetrcBytes));
    return ({ hostname, port }) => {
      const entry = findNetrc(entries, hostname, port);
      return entry && `Basic ${Buffer.from(`${entry.login}:${entry.password}`).toString("base64")}`;
    };
  }
  return () => undefined;
}

const settingNames = ["GOSUMDB", "GOPROXY", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOFLAGS"] as const;

/** As `go env` has them; of environment and go env file where there is no go. */
export async function goSettings(machine: Machine): Promise<SimulateUse["settings"]> {
  const said = (await askGoEnv(settingNames, machine.env)) ?? {};
  const found = await Promise.all(
    settingNames.map(async (name) => [name, said[name] ?? (await readGoEnv(name, machine))?.value ?? ""] as const),
  );
  const values = Object.fromEntries(found) as Record<(typeof settingNames)[number], string>;
  return {
    ...values,
    GOSUMDB: values.GOSUMDB === "" ? sumdbName : values.GOSUMDB,
    GOPROXY: values.GOPROXY === "" ? goDefaultProxyList : values.GOPROXY,
  };
}

async function localGo({ env }: Machine): Promise<string | undefined> {
  return toolchainVersion((await askGoEnv(["GOVERSION"], env))?.["GOVERSION"] ?? "");
}

/** The newest release line whose requests are known, for machines without a go. */
const newestGo = "1.27.3";

/** The version to stand in for: as typed, else this machine's, else the newest. Throws GRANARY_BAD_FLAG. */
export async function goToImitate(typed: string | undefined, machine: Machine): Promise<string> {
  if (typed === undefined) return (await localGo(machine)) ?? newestGo;
  const version = typed.replace(/^go/, "");
  if (/^1\.\d{1,3}(?:\.\d{1,3}|rc\d{1,2}|beta\d{1,2})?$/.test(version)) return version;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--go", value: typed, accepted: "1.26 | 1.26.8 | 1.27rc1" });
}
