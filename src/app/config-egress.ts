// `egress` and `hosts`: how connections to upstreams leave this machine, and where the names on the way are.
//
//   egress: file:/run/secrets/egress-proxy     # http://user:pass@proxy.corp.example:3128
//   hosts:
//     goproxy.corp.example: 10.1.2.3,10.1.2.4

import { isIP } from "node:net";
import { z } from "zod";
import { parseProxy, proxyRule } from "#adapters/upstream/no-proxy.ts";
import type { EgressProxies } from "#adapters/upstream/no-proxy.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { FileEntry } from "./config-file.ts";
import { listOf, text } from "./config-kinds.ts";
import type { Kind } from "./config-kinds.ts";
import { readSecret } from "./config-secrets.ts";
import type { Machine } from "./go-env.ts";

const isReference = (value: string): boolean => /^(file|env):./s.test(value);

/** As written: a reference to a secret is resolved by `readEgress`. */
export const egressKind: Kind<string> = text(
  {
    en: "direct | env | http[s]://[user:pass@]HOST:PORT, or file:/path or env:NAME of such a URL",
    "zh-CN": "direct | env | http[s]://[用户:口令@]主机:端口，或以 file:/path、env:NAME 引用这样的 URL",
  },
  (value) => value === "direct" || value === "env" || isReference(value) || isProxy(value),
);

/** An egress that was said in full: no credentials that are left to be read, no proxy that cannot be used. */
function isProxy(value: string): boolean {
  return /^https?:\/\//i.test(value) && parses(() => parseProxy(value));
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

type Said = { readonly key: string; readonly origin: string; readonly value: string };

/** The egress with its reference resolved. Throws GranaryError; `isPlain` when credentials stand in the open. */
export async function readEgress(
  said: Said,
  machine: Machine,
  lang: Lang,
): Promise<{ readonly value: string; readonly isPlain: boolean }> {
  const { value } = isReference(said.value) ? await readSecret(said, machine) : said;
  if (value === "direct") return { value, isPlain: false };
  if (value === "env") {
    const bad = badProxy(machineProxies(machine));
    if (bad !== undefined) throw refuse({ ...bad, key: said.key }, lang);
    return { value, isPlain: false };
  }
  if (!isProxy(value)) throw refuse({ ...said, value: isReference(said.value) ? said.value : "…" }, lang);
  return { value, isPlain: !isReference(said.value) && new URL(value).password !== "" };
}

function refuse({ key, origin, value }: Said, lang: Lang): GranaryError {
  return new GranaryError("GRANARY_BAD_CONFIG", { origin, key, value, accepted: egressKind.accepted[lang] });
}

/** A variable of the machine whose proxy we cannot use; to leave without it would be a hole. */
function badProxy({ http = "", https = "" }: EgressProxies): Omit<Said, "key"> | undefined {
  if (!parses(() => parseProxy(http))) return { origin: "HTTP_PROXY (environment)", value: "…" };
  if (!parses(() => parseProxy(https))) return { origin: "HTTPS_PROXY (environment)", value: "…" };
  return undefined;
}

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either case; an empty variable counts as unset (httpproxy.FromEnvironment). */
function machineProxies({ env }: Machine): EgressProxies {
  const read = (name: string): string => [env[name], env[name.toLowerCase()]].find((value) => value) ?? "";
  return { http: read("HTTP_PROXY"), https: read("HTTPS_PROXY"), no: read("NO_PROXY") };
}

/** What an egress that `readEgress` answered means. A proxy that was named serves everything but loopback. */
export function proxiesOf(egress: string, machine: Machine): EgressProxies {
  if (egress === "direct") return {};
  return egress === "env" ? machineProxies(machine) : { http: egress, https: egress };
}

/** The host whose address is needed to reach `url`: its own, or the proxy's. */
export function hostToReach(url: URL, proxies: EgressProxies): string {
  return (proxyRule(proxies)(url) ?? url).hostname.replace(/^\[(.*)\]$/, "$1");
}

const hostEntry = text(
  {
    en: "NAME: IP[,IP]; in a variable NAME=IP[,IP] with ; between",
    "zh-CN": "名称: IP[,IP]；变量中写 名称=IP[,IP]，以 ; 分隔",
  },
  (value) => parseHost(value) !== undefined,
);

/** Like /etc/hosts; none is a list as well. */
export const hostsKind: Kind<readonly string[]> = {
  ...listOf(hostEntry, ";"),
  schema: z.array(hostEntry.schema).max(1_000) as Kind<readonly string[]>["schema"],
};

function parseHost(entry: string): readonly [name: string, addresses: readonly string[]] | undefined {
  const [, name = "", list = ""] = /^([^=\s]+)=(.+)$/.exec(entry) ?? [];
  const addresses = list.split(",").map((address) => address.trim());
  const isGood = /^[\w.-]{1,253}$/.test(name) && isIP(name) === 0 && addresses.every((address) => isIP(address) !== 0);
  return isGood ? [name.toLowerCase(), addresses] : undefined;
}

export function parseHosts(entries: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(entries.map(parseHost).filter((entry) => entry !== undefined));
}

/** The mapping `hosts:` of a file as the one list that the setting is: names have dots, which are no levels. */
export function joinHosts(entries: readonly FileEntry[]): FileEntry[] {
  const isHost = ({ path }: FileEntry): boolean => path[0] === "hosts" && path.length > 1;
  const hosts = entries.filter(isHost);
  const [first] = hosts;
  if (first === undefined) return [...entries];
  const value = hosts.map((entry) => `${entry.path.slice(1).join(".")}=${[entry.value].flat().join(",")}`);
  return [...entries.filter((entry) => !isHost(entry)), { key: "hosts", path: ["hosts"], value, origin: first.origin }];
}
