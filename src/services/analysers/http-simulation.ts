// What one simulated download was: every request of it, in go's order, and what the bytes proved.

import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { Walk } from "./http-chain.ts";
import type { Proof } from "./http-ports.ts";

/** In the order of the requests. `supported` and `lookup` are the checksum database's. */
export const stepNames = ["list", "info", "mod", "supported", "lookup", "zip"] as const;
export type StepName = (typeof stepNames)[number];

/** Why a go.mod cannot be used: what came is another one, or nothing can be verified. */
export const notAsRecorded = "not as recorded";
export const unverified = "not verified";

export type Step = { readonly name: StepName; readonly walk: Walk };

/** The hash of what came. `unknown`: no proven record to hold it against. */
export type Hashed = { readonly h1: string; readonly verdict: "recorded" | "differs" | "unknown" };

export type Database =
  | { readonly kind: "asked"; readonly name: string; readonly base: string; readonly proof: Proof }
  /** No relay let us through to it, and go stops. */
  | { readonly kind: "stopped"; readonly name: string }
  /** The settings keep go from asking. */
  | { readonly kind: "unasked" }
  /** go stops at the settings. */
  | { readonly kind: "refused"; readonly sentence: string };

/** Answers that proved the record: heads and tiles. */
export type Tiles = { readonly count: number; readonly bytes: number; readonly ms: number };

/** What was looked at beside go's own requests, to tell causes apart. */
export type Extra = {
  /** Per host that refused go: whether another User-Agent got 200. */
  readonly letsOthersIn: ReadonlyMap<string, boolean>;
  /** A version that an empty list should have named; "" for none known. */
  readonly knownVersion: string;
};

export type Facts = {
  readonly id: ModuleVersion;
  readonly entries: readonly ProxyEntry[];
  readonly steps: readonly Step[];
  readonly database: Database | undefined;
  readonly tiles: Tiles;
  readonly mod: Hashed | undefined;
  readonly zip: Hashed | undefined;
  /** Why go would refuse the zip. */
  readonly zipProblem: string | undefined;
  readonly extra: Extra;
};

export type Simulation = Facts & {
  /** `1.26.8` */
  readonly go: string;
  /**
   * `proven`: all of it came, and is what the database recorded. `unproven`: it came, and nobody vouches. `failed`: go
   * would stop. `private`: go asks no proxy, and nothing was asked.
   */
  readonly outcome: "proven" | "unproven" | "failed" | "private";
  readonly findings: readonly Finding[];
};
