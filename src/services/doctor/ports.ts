// What the steps ask of the world beyond the settings: each is a room's own examination, bound to this machine. All of
// them announce what they ask before they ask it, and end with the signal.

import type { Comparison } from "#services/analysers/http-protocols.ts";
import type { Simulation } from "#services/analysers/http-simulation.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { GoEnd } from "#services/environment/go-port.ts";
import type { Crosscheck } from "#services/mirrors/crosscheck.ts";
import type { CheckUse, Examined } from "./check.ts";
import type { ModuleVersion } from "#protocol/version.ts";

export type Ask = Pick<CheckUse, "signal" | "announce" | "keep">;

export type Place = { readonly host: string; readonly port: number };

/** What an examination found, and in a few words what it saw. */
export type Seen = Pick<Examined, "findings" | "summary" | "nothing">;

export interface DoctorPorts {
  /** The version as `go mod download` would get it. */
  simulate(id: ModuleVersion, ask: Ask): Promise<Simulation>;
  /** Whether requests to this URL go through an egress proxy, whose business names are then. */
  isRelayed(url: URL): boolean;
  /** Whether a connection to the host comes about, through the egress proxy if there is one. */
  reaches(place: Place, ask: Ask): Promise<boolean>;
  tls(place: Place, ask: Ask): Promise<Seen>;
  compareProtocols(url: string, ask: Ask): Promise<Comparison>;
  /** Who answers for the name on this machine. */
  nameHere(host: string, ask: Ask): Promise<Seen>;
  /** What other resolvers say. */
  nameElsewhere(host: string, ask: Ask): Promise<Seen>;
  crosscheck(
    id: ModuleVersion,
    mirrors: readonly { readonly name: string; readonly url: string }[],
    ask: Ask,
  ): Promise<Crosscheck>;
  /** Shell files, units, CI files of this machine and project. */
  scopes(ask: Ask): Promise<Seen>;
  modcache(ask: Ask): Promise<Seen>;
  /** `go ARGS…` as the user would run it here. */
  go(args: readonly string[], ask: Ask): Promise<GoEnd>;
  /** What the go command's words mean. */
  explainError(text: string): readonly Finding[];
}
