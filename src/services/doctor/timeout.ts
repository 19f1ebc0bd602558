// `granary fix timeout`: where the waiting comes from, as far as a log tells, and the seven remedies that guides name for it,
// in the order in which they help there: which ones are in place, which are missing, which of them a command can set.

import type { ErrorReport } from "#services/analysers/error-report.ts";
import { chainOf } from "#services/environment/chain.ts";
import { isLoopback, isPublicProxy } from "#services/environment/public-proxies.ts";
import { valueOf } from "#services/environment/settings.ts";
import type { Settings } from "#services/environment/settings.ts";
import type { Fix } from "#services/findings/fix.ts";
import { registry } from "#services/mirrors/registry.ts";

/**
 * The leaf of the tree that a log leads to. `cancelled`: go gave its own requests up (wrote RST_STREAM CANCEL). `reset`:
 * the other side did. `unanswered`: nothing came. `unread`: no log was given, or it knows of no waiting.
 */
export const leaves = [
  "dns",
  "connect",
  "tls",
  "cancelled",
  "reset",
  "unanswered",
  "slow",
  "gateway",
  "unread",
] as const;
export type Leaf = (typeof leaves)[number];

/** Which codes of explain-error lead to which leaf, causes that lie deeper first. */
const leafOf: readonly (readonly [Leaf, readonly string[]])[] = [
  ["dns", ["GO_ERR_NO_SUCH_HOST", "GO_ERR_DNS_FAILED"]],
  ["connect", ["GO_ERR_CONNECT_TIMEOUT", "GO_ERR_UNREACHABLE", "GO_ERR_REFUSED"]],
  ["tls", ["GO_ERR_TLS_TIMEOUT"]],
  ["reset", ["GO_H2_SERVER_RESET", "GO_H2_GOAWAY", "GO_ERR_H2_STREAM", "GO_ERR_H2_CLOSED", "GO_ERR_RESET"]],
  ["unanswered", ["GO_H2_NO_ANSWER", "GO_TRACE_UNANSWERED"]],
  ["gateway", ["GO_ERR_GATEWAY"]],
  ["slow", ["GO_ERR_READ_TIMEOUT", "GO_TRACE_SLOW", "GO_ERR_BROKEN_OFF"]],
  ["cancelled", ["GO_H2_CLIENT_CANCELLED"]],
];

export const remedies = ["chain", "proxy", "cache", "database", "transport", "names", "tunnel"] as const;
export type RemedyId = (typeof remedies)[number];

/** What helps at a leaf, the first first; the others follow in the order of the list. */
const order: Readonly<Record<Leaf, readonly RemedyId[]>> = {
  dns: ["names", "chain", "proxy"],
  connect: ["chain", "tunnel", "proxy"],
  tls: ["tunnel", "chain", "proxy"],
  cancelled: ["chain", "proxy"],
  reset: ["transport", "chain", "proxy"],
  unanswered: ["chain", "proxy", "transport"],
  gateway: ["chain", "proxy"],
  slow: ["chain", "proxy", "cache"],
  unread: [],
};

/** Command lines that tell more of a leaf; `{host}` is a proxy's. */
const checks: Readonly<Record<Leaf, readonly string[]>> = {
  dns: ["granary dns which {host}", "granary dns compare {host}"],
  connect: ["granary trace https://{host}/"],
  tls: ["granary tls {host}"],
  cancelled: ["GODEBUG=http2debug=2 go mod download 2>stderr.log", "granary explain-error stderr.log"],
  reset: ["granary trace https://{host}/ --protocols", "GODEBUG=http2client=0 go mod download"],
  unanswered: ["granary trace https://{host}/ --protocols", "go mod download -x"],
  gateway: ["granary mirrors list --probe"],
  slow: ["granary trace https://{host}/", "granary mirrors list --probe"],
  unread: ["GODEBUG=http2debug=2 go mod download -x 2>stderr.log", "granary fix timeout stderr.log"],
};

export type Remedy = {
  readonly id: RemedyId;
  /** From 1, as the guides count them. */
  readonly number: number;
  /** `beyond`: go has no setting for it. */
  readonly state: "in-place" | "missing" | "beyond";
  /** What is in place: a value, never a sentence. */
  readonly seen: string | undefined;
  readonly fixes: readonly Fix[];
  /** It is among those that help at this leaf. */
  readonly helps: boolean;
};

export type TimeoutAdvice = {
  readonly leaf: Leaf;
  /** Lines of the log that led there. */
  readonly evidence: readonly string[];
  readonly checks: readonly string[];
  readonly remedies: readonly Remedy[];
};

export type TimeoutFacts = {
  readonly settings: Settings;
  /** What explain-error says of the log, if there is one. */
  readonly log: ErrorReport | undefined;
  /** Bytes in GOMODCACHE; undefined when there is none. */
  readonly cacheBytes: number | undefined;
};

export function adviseTimeout(facts: TimeoutFacts): TimeoutAdvice {
  const { leaf, evidence } = leafIn(facts.log);
  const helping = order[leaf];
  const all = remedies.map((id, i): Remedy => ({
    id,
    number: i + 1,
    ...stateOf[id](facts, leaf),
    helps: helping.includes(id),
  }));
  const rank = ({ id, number }: Remedy): number =>
    helping.includes(id) ? helping.indexOf(id) : remedies.length + number;
  const [host = "HOST"] = proxiesOf(facts.settings).map((url) => new URL(url).host);
  return {
    leaf,
    evidence,
    checks: checks[leaf].map((line) => line.replace("{host}", host)),
    remedies: all.toSorted((a, b) => rank(a) - rank(b)),
  };
}

function leafIn(log: ErrorReport | undefined): Pick<TimeoutAdvice, "leaf" | "evidence"> {
  const all = [...(log?.causes ?? []), ...(log?.follows ?? []), ...(log?.notices ?? [])].map(({ finding }) => finding);
  for (const [leaf, codes] of leafOf) {
    const found = all.filter(({ code }) => codes.includes(code));
    if (found.length > 0)
      return { leaf, evidence: found.flatMap(({ evidence }) => evidence.map(({ text }) => text)).slice(0, 3) };
  }
  return { leaf: "unread", evidence: [] };
}

type State = Pick<Remedy, "state" | "seen" | "fixes">;

const stateOf: Readonly<Record<RemedyId, (facts: TimeoutFacts, leaf: Leaf) => State>> = {
  chain: ({ settings }) => {
    const urls = proxiesOf(settings);
    const value = valueOf(settings, "GOPROXY");
    // One server of one's own hides its upstreams' faults; two public ones need the pipe between them.
    if (urls.some(isOwn) || (urls.length > 1 && value.includes("|"))) return inPlace(value);
    const known = registry
      .filter(({ status, name }) => status === "recommended" && name !== "official")
      .map(({ url }) => url);
    const list = [...new Set([...urls, ...known])].slice(0, 3).join("|");
    return missing(setOf(settings, "GOPROXY", `${list},direct`));
  },
  proxy: ({ settings }) => {
    const own = proxiesOf(settings).find(isOwn);
    if (own !== undefined) return inPlace(own);
    return missing({ kind: "run", argv: ["granary", "serve"] }, setOf(settings, "GOPROXY", "http://127.0.0.1:8080"));
  },
  cache: ({ cacheBytes }) => {
    const quota: Fix = {
      kind: "run",
      argv: ["granary", "modcache", "gc", "--max-size=5GB", "--older-than=30d", "--dry-run"],
    };
    return cacheBytes === undefined
      ? missing()
      : { state: "in-place", seen: `${Math.round(cacheBytes / 1e6)} MB`, fixes: [quota] };
  },
  database: ({ settings }) => {
    const value = valueOf(settings, "GOSUMDB");
    if (value === "off") return missing(setOf(settings, "GOSUMDB", "sum.golang.org"));
    // go asks the database through the first proxy that relays it, and directly when none does.
    const [first] = proxiesOf(settings);
    return inPlace(first === undefined || /\s/.test(value) ? value : `${value} + ${first}`);
  },
  transport: ({ settings }, leaf) => {
    const debug = valueOf(settings, "GODEBUG");
    if (/\bhttp2client=0\b/.test(debug)) return inPlace(`GODEBUG=${debug}`);
    const value = [debug, "http2client=0"].filter((part) => part !== "").join(",");
    // Pools and timeouts of go's client have no settings; all that can be chosen is the protocol.
    return leaf === "reset" || leaf === "unanswered" ? missing({ kind: "export", values: { GODEBUG: value } }) : beyond;
  },
  names: (_, leaf) => (leaf === "dns" ? missing({ kind: "run", argv: ["granary", "dns", "flush"] }) : beyond),
  tunnel: ({ settings }) => {
    const value = valueOf(settings, "HTTPS_PROXY");
    return value === ""
      ? missing({ kind: "export", values: { HTTPS_PROXY: "http://HOST:3128" } })
      : inPlace("HTTPS_PROXY");
  },
};

const beyond: State = { state: "beyond", seen: undefined, fixes: [] };

function inPlace(seen: string): State {
  return { state: "in-place", seen, fixes: [] };
}

function missing(...fixes: readonly Fix[]): State {
  return { state: "missing", seen: undefined, fixes };
}

/** What the process environment says has to be changed there. */
function setOf({ all }: Settings, name: "GOPROXY" | "GOSUMDB", value: string): Fix {
  return { kind: all[name].place.kind === "process" ? "export" : "set", values: { [name]: value } };
}

function isOwn(url: string): boolean {
  return isLoopback(url) || !isPublicProxy(url);
}

function proxiesOf(settings: Settings): readonly string[] {
  const chain = chainOf(valueOf(settings, "GOPROXY"), "", settings.version);
  if (chain.kind === "refused") return [];
  return chain.hops.flatMap((hop) => (hop.kind === "proxy" && URL.canParse(hop.url) ? [hop.url] : []));
}
