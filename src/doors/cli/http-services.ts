// What the commands about requests and mirrors are handed: `simulate`, `trace`, `mirrors`.

import type { Comparison } from "#services/analysers/http-protocols.ts";
import type { Simulation } from "#services/analysers/http-simulation.ts";
import type { Path } from "#services/analysers/http-trace.ts";
import type { Emitter } from "#services/analysers/http-emit.ts";
import type { Shell } from "#services/findings/shell.ts";
import type { Crosscheck } from "#services/mirrors/crosscheck.ts";
import type { MirrorProbe } from "#services/mirrors/probe.ts";
import type { Mirror } from "#services/mirrors/registry.ts";

export type SimulateRequest = {
  /** `MODULE@VERSION` */
  readonly what: string;
  /** An egress proxy for everything, in place of the environment's. */
  readonly via: string | undefined;
  /** A GOPROXY list, in place of `go env GOPROXY`. */
  readonly proxy: string | undefined;
  /** The version to stand in for, in place of the machine's. */
  readonly go: string | undefined;
};

/** `proxy`: the list, without credentials. */
export type SimulationView = Simulation & { readonly proxy: string; readonly ms: number };

export type TraceRequest = {
  readonly url: string;
  /** `both`: directly, and through the egress proxy where there is one. */
  readonly way: "direct" | "both";
  readonly via: string | undefined;
  readonly comparesProtocols: boolean;
};

/** `direct` before `usual`; one of them where there is one way only. */
export type TraceView = {
  readonly url: string;
  readonly paths: readonly Path[];
  readonly protocols: Comparison | undefined;
};

export type ListedMirror = Mirror & { readonly probe: MirrorProbe | undefined };

export type CrosscheckRequest = {
  readonly what: string;
  /** Names of the registry or URLs; none for those that are recommended or usable. */
  readonly mirrors: readonly string[];
  readonly isRecorded: boolean;
};

/** `file`: where the snapshot was written. */
export type CrosscheckView = Crosscheck & { readonly file: string | undefined };

export type HttpCommands = {
  readonly simulate: (request: SimulateRequest) => Promise<SimulationView>;
  /** Lines that make the same requests. */
  readonly emit: (
    request: SimulateRequest,
    how: { readonly tool: Emitter; readonly shell: Shell },
  ) => Promise<readonly string[]>;
  readonly trace: (request: TraceRequest) => Promise<TraceView>;
  readonly mirrorsList: (isProbed: boolean) => Promise<readonly ListedMirror[]>;
  readonly mirrorsCrosscheck: (request: CrosscheckRequest) => Promise<CrosscheckView>;
};
