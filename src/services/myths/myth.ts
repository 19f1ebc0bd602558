// A myth: something that documents claim of go, and what is so. Every claim of five articles about go behind
// filtered networks is one, true ones too, so that nobody has to wonder which is which.

import type { Lang } from "#services/errors/sentences.ts";
import type { ProofName } from "./proofs.ts";

/** `true`: it is so. `partly`: some of it. `unverifiable`: it is about a service, or a wish; go cannot tell. */
export const verdicts = ["false", "partly", "true", "unverifiable"] as const;
export type Verdict = (typeof verdicts)[number];

/** What a claim is about: variables, commands, and what else people look for. */
export const topics = [
  "GOPROXY",
  "fallback",
  "GOSUMDB",
  "sumdb",
  "GOPRIVATE",
  "GONOPROXY",
  "GONOSUMDB",
  "GOINSECURE",
  "GODEBUG",
  "GOENV",
  "GOROOT",
  "GO111MODULE",
  "GOMODCACHE",
  "GOCACHE",
  "HTTP_PROXY",
  "timeout",
  "direct",
  "off",
  "private",
  "requests",
  "redirects",
  "tls",
  "http2",
  "dns",
  "go.sum",
  "cache",
  "offline",
  "vendor",
  "versions",
  "mirrors",
  "tools",
  "ci",
] as const;
export type Topic = (typeof topics)[number];

/** Who claims it: the articles, S0 to S4 (`articles.ts`). */
export type Article = "S0" | "S1" | "S2" | "S3" | "S4";
/** A row of an article's list of claims; `common` are those that cost most, whoever makes them. Each row has one myth. */
export type Row = `${Article | "common"}-${number}`;

/** Why no test with a real go shows it. */
export type Unshown =
  /** It is about somebody's service: only asking that service can tell. */
  | "service"
  /** It is about another program: its own settings and source decide. */
  | "software"
  /** It is about what exists in a registry, which tests do not reach. */
  | "registry"
  /** It is about who runs something. */
  | "operator";

export type Words = { readonly claim: string; readonly truth: string };
/** With what somebody can find out where we cannot tell. */
export type ProbedWords = Words & { readonly probe: string };

type Told = {
  readonly row: Row;
  readonly said: readonly Article[];
  readonly about: readonly Topic[];
} & ({ readonly shown: readonly ProofName[] } | { readonly unshown: Unshown });

export type Myth = Told &
  (
    | ({ readonly verdict: Exclude<Verdict, "unverifiable"> } & Readonly<Record<Lang, Words>>)
    | ({ readonly verdict: "unverifiable" } & Readonly<Record<Lang, ProbedWords>>)
  );

export type MythCode = `MYTH_${string}`;
/** Myths by code. A code is for ever. */
export type Myths = Readonly<Record<MythCode, Myth>>;
