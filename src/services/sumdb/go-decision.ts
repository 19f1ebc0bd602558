// What the go command will do with a checksum database, from its environment alone: whether it asks one, which, and by
// which way. Source: cmd/go modfetch useSumDB, dbDial, initBase; protocol reference §3.4, §5.6, §5.7.

import { parseGosumdb, type Gosumdb } from "#protocol/gosumdb.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { sumdbKey } from "#protocol/official.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { parseProxyList, type ProxyEntry } from "#protocol/proxylist.ts";

/** Values as `go env` prints them; an empty one is one that is not set. */
export type GoSettings = {
  readonly GOSUMDB: string;
  readonly GOPROXY: string;
  readonly GONOSUMDB: string;
  readonly GOPRIVATE: string;
  readonly GOFLAGS: string;
};

/** One question on the way down the tree, and its answer. */
export type DecisionStep = {
  /**
   * `insecure`: does GOFLAGS hold -insecure? `toolchain`: is it a toolchain, which must be verified? `off`: is GOSUMDB
   * off? `pattern`: does GONOSUMDB match the module? `form`: is GOSUMDB well formed? `official`: is it the database whose
   * key is built in? `url`: does GOSUMDB say where the database is? `proxy`: does GOPROXY name a proxy?
   */
  readonly question: "insecure" | "toolchain" | "off" | "pattern" | "form" | "official" | "url" | "proxy";
  readonly answer: boolean;
  /** The value that decides. */
  readonly value: string;
};

/** Where the database is asked. */
export type DecisionWay = {
  readonly via: "proxy" | "direct";
  /** Lookups are asked below it; of a proxy only when `URL/supported` answers 200. */
  readonly url: string;
  /** When the next way is tried: on 404 and 410, on any failure, never. */
  readonly next: "absent" | "failure" | "never";
};

export type DecisionOutcome =
  | {
      readonly kind: "verified";
      readonly database: string;
      readonly key: string;
      readonly ways: readonly DecisionWay[];
    }
  /** Nobody is asked; what go.sum has is compared. */
  | { readonly kind: "unverified"; readonly because: "off" | "pattern" | "file-proxy" }
  /** The go command stops with this sentence. `of`: which setting is wrong. */
  | { readonly kind: "refused"; readonly of: "GOSUMDB" | "GOPROXY"; readonly sentence: string };

export type Decision = {
  readonly module: string | undefined;
  readonly steps: readonly DecisionStep[];
  readonly outcome: DecisionOutcome;
};

const toolchainPath = "golang.org/toolchain";

/** @param module a module path; without one no pattern matches */
export function decide(env: GoSettings, module?: string): Decision {
  const steps: DecisionStep[] = [];
  const ask = (question: DecisionStep["question"], answer: boolean, value: string): boolean => {
    steps.push({ question, answer, value });
    return answer;
  };
  return { module, steps, outcome: walkTree(env, module, ask) };
}

type Ask = (question: DecisionStep["question"], answer: boolean, value: string) => boolean;

function walkTree(env: GoSettings, module: string | undefined, ask: Ask): DecisionOutcome {
  if (holdsInsecure(env.GOFLAGS)) ask("insecure", true, env.GOFLAGS);
  const isToolchain = module === toolchainPath;
  if (isToolchain) {
    ask("toolchain", true, module);
    if (/^file:\/\/[^,|]*$/.test(env.GOPROXY)) return { kind: "unverified", because: "file-proxy" };
  }
  if (ask("off", env.GOSUMDB === "off", env.GOSUMDB))
    return isToolchain
      ? { kind: "refused", of: "GOSUMDB", sentence: "checksum database disabled by GOSUMDB=off" }
      : { kind: "unverified", because: "off" };
  const patterns = env.GONOSUMDB === "" ? env.GOPRIVATE : env.GONOSUMDB;
  if (!isToolchain && ask("pattern", module !== undefined && matchPrefixPatterns(patterns, module), patterns))
    return { kind: "unverified", because: "pattern" };
  const database = parsed(() => parseGosumdb(env.GOSUMDB));
  if (typeof database === "string") {
    ask("form", false, env.GOSUMDB);
    return { kind: "refused", of: "GOSUMDB", sentence: database };
  }
  ask("form", true, env.GOSUMDB);
  return database.kind === "off" ? { kind: "unverified", because: "off" } : findWays(env, database, ask);
}

function findWays(env: GoSettings, database: Gosumdb & { readonly kind: "database" }, ask: Ask): DecisionOutcome {
  const { name, key, url } = database;
  ask("official", key === sumdbKey, key);
  const found = { kind: "verified", database: name, key } as const;
  if (ask("url", url !== undefined, url ?? "")) return { ...found, ways: [direct(url ?? "")] };
  const entries = parsed(() => parseProxyList(env.GOPROXY));
  if (typeof entries === "string") {
    ask("proxy", false, env.GOPROXY);
    return { kind: "refused", of: "GOPROXY", sentence: entries };
  }
  const tunnels = entries.flatMap((entry, at) => tunnelOf(entry, name, at === entries.length - 1));
  ask("proxy", tunnels.length > 0, env.GOPROXY);
  // A proxy that fails otherwise than by 404 is not passed by for what stands outside the list.
  return { ...found, ways: [...tunnels, direct(`https://${name}`)] };
}

function tunnelOf(entry: ProxyEntry, database: string, isLast: boolean): DecisionWay[] {
  if (entry.kind !== "url") return [];
  const next = entry.separator === "|" && !isLast ? "failure" : "absent";
  return [{ via: "proxy", url: `${entry.url}/sumdb/${database}`, next }];
}

function direct(url: string): DecisionWay {
  return { via: "direct", url, next: "never" };
}

function parsed<T>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}

/** `go get` has not known the flag since Go 1.17 and stops; no other command looks at it. */
function holdsInsecure(flags: string): boolean {
  return flags.split(/\s+/).some((flag) => /^["']?--?insecure(=|["']?$)/.test(flag));
}
