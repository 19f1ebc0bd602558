// What a go command will do to get one module: whether it is private, who verifies it, who is asked in which order,
// and at each hop what every kind of failure leads to. Data; src/doors/cli/env-print.ts puts it into words.

import { isAncestorOfPattern, matchPrefixPatterns } from "#protocol/pattern.ts";
import { decide } from "#services/sumdb/go-decision.ts";
import type { Decision } from "#services/sumdb/go-decision.ts";
import { chainOf } from "./chain.ts";
import type { Chain, Hop } from "./chain.ts";
import { roundsOf } from "./commands.ts";
import type { GoCommand, Round } from "./commands.ts";
import { credentialsFor } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { flagValue, parseGoFlags } from "./go-flags.ts";
import { knows } from "./go-versions.ts";
import { settingsOf, valueOf } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";
import { trustOf } from "./trust.ts";
import type { Trust } from "./trust.ts";

export type Question = {
  /** A module path; without one what every module has in common. */
  readonly module?: string | undefined;
  /** A canonical version; without one the newest. */
  readonly version?: string | undefined;
  readonly command?: GoCommand | undefined;
  /** The go command in question; without it the installed one. */
  readonly go?: string | undefined;
};

/** What comes after a kind of failure. `end`: go gives up with it. `hangs`: nothing comes, ever. */
export type After = "next" | "end" | "hangs";

export type ExplainedHop = {
  readonly hop: Hop;
  /** Whether this module is asked there at all. */
  readonly isAsked: boolean;
  /** 404 and 410, other statuses, no connection or a broken one, `.info` that is no JSON, silence. */
  readonly after: Readonly<Record<"absent" | "status" | "connection" | "json" | "silence", After>>;
  /** The proxy that the connection goes through; undefined for none, and where there is no connection. */
  readonly via: string | undefined;
  readonly credentials: Credentials;
  /** Every 4xx is asked a second time (https, Go 1.24 and newer). */
  readonly asksTwice: boolean;
};

export type Explanation = {
  readonly settings: Settings;
  readonly module: string | undefined;
  readonly version: string | undefined;
  readonly command: GoCommand;
  /** Undefined without a module. */
  readonly isPrivate: boolean | undefined;
  readonly rounds: readonly Round[];
  readonly chain: Chain;
  readonly hops: readonly ExplainedHop[];
  /** Undefined: this go knows no checksum database. */
  readonly sums: Decision | undefined;
  readonly trust: Trust;
  /** `-mod=vendor` in GOFLAGS: commands that build ask nobody. */
  readonly isVendored: boolean;
  /** Names above a private module that proxies are asked for all the same: a pattern covers only what is below them. */
  readonly leaks: readonly string[];
  /** GO111MODULE=off: no command of modules works. */
  readonly isOff: boolean;
};

export type ExplainPorts = {
  /** The proxy for a URL, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY have it. */
  readonly viaOf: (url: string, settings: Settings) => string | undefined;
};

export function explain(from: Surroundings, question: Question, use: ExplainPorts): Explanation {
  const { module, version, command = "download" } = question;
  const settings = settingsOf(from, question.go);
  const patterns = valueOf(settings, "GONOPROXY");
  const isPrivate = module === undefined ? undefined : matchPrefixPatterns(patterns, module);
  const rounds = roundsOf(command, version);
  const chain = chainOf(valueOf(settings, "GOPROXY"), patterns, settings.version);
  const hops = chain.kind === "hops" ? chain.hops : [];
  return {
    settings,
    module,
    version,
    command,
    isPrivate,
    rounds,
    chain,
    hops: hops.map((hop, at) =>
      explainHop(hop, {
        isPrivate: isPrivate === true,
        isLast: at === hops.length - 1,
        settings,
        netrc: from.netrc,
        use,
      }),
    ),
    sums: knows(settings.version, "lists") ? decideSums(settings, module) : undefined,
    trust: trustOf(settings, from.platform),
    isVendored: flagValue(parseGoFlags(valueOf(settings, "GOFLAGS")), "mod") === "vendor",
    leaks:
      isPrivate === true && rounds.some(({ prefixes }) => prefixes === true) ? leaksOf(patterns, module ?? "") : [],
    isOff: valueOf(settings, "GO111MODULE") === "off",
  };
}

function leaksOf(patterns: string, module: string): readonly string[] {
  const elements = module.split("/");
  return elements
    .slice(1)
    .map((_, cut) => elements.slice(0, elements.length - 1 - cut).join("/"))
    .filter((path) => !matchPrefixPatterns(patterns, path) && isAncestorOfPattern(patterns, path));
}

type HopContext = {
  readonly isPrivate: boolean;
  readonly isLast: boolean;
  readonly settings: Settings;
  readonly netrc: Surroundings["netrc"];
  readonly use: ExplainPorts;
};

function explainHop(hop: Hop, { isPrivate, isLast, settings, netrc, use }: HopContext): ExplainedHop {
  const isProxy = hop.kind === "proxy";
  const url = isProxy ? hop.url : undefined;
  const isHttps = url?.startsWith("https:") === true;
  return {
    hop,
    isAsked: isProxy ? !isPrivate : hop.kind === "noproxy" ? isPrivate : hop.kind === "direct",
    after: afterOf(hop, isLast),
    via: url === undefined || url.startsWith("file:") ? undefined : use.viaOf(url, settings),
    credentials: url === undefined ? { kind: "none" } : credentialsFor(url, settings, netrc),
    asksTwice: isHttps && knows(settings.version, "auth"),
  };
}

function afterOf(hop: Hop, isLast: boolean): ExplainedHop["after"] {
  const silence = "hangs";
  const absent = isLast || hop.kind === "direct" ? "end" : "next";
  // A repository that cannot be had is "not found" in all these cases; direct is the end of the list anyway.
  if (hop.kind !== "proxy") return { absent, status: absent, connection: absent, json: absent, silence };
  const failure = hop.separator === "|" ? absent : "end";
  return { absent, status: failure, connection: failure, json: failure, silence };
}

/** Whether and how the module is verified, as this go decides it. */
export function decideSums(settings: Settings, module: string | undefined): Decision {
  const value = (name: "GOSUMDB" | "GOPROXY" | "GONOSUMDB" | "GOPRIVATE" | "GOFLAGS"): string =>
    valueOf(settings, name);
  return decide(
    {
      GOSUMDB: value("GOSUMDB"),
      GOPROXY: value("GOPROXY"),
      GONOSUMDB: value("GONOSUMDB"),
      GOPRIVATE: value("GOPRIVATE"),
      GOFLAGS: value("GOFLAGS"),
    },
    module,
  );
}
