// What the commands about a go command's module cache are handed.

import type { ExaminedCache } from "#services/modcache/examine.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { Life } from "#services/modcache/life.ts";
import type { CacheInfo } from "#services/modcache/info.ts";
import type { GcPlan, GcReport } from "#services/modcache/gc.ts";
import type { RepairPlan, RepairReport } from "#services/modcache/repair.ts";
import type { Refreshed } from "#services/modcache/refresh.ts";
import type { TracedRequest } from "#services/modcache/download.ts";
import type { VerifyReport } from "#services/modcache/verify.ts";
import type { VersionReport } from "#services/modcache/version-report.ts";

/** `go`: what the go command said; `machine`: read as go does, as there is no go; `flag`: --cache. */
export type CacheOrigin = "go" | "machine" | "flag";

export type InfoView = CacheInfo & {
  readonly origin: CacheOrigin;
  /** The cache as a GOPROXY. */
  readonly fileProxy: string;
  /** Newest signed heads that go keeps, beside the cache. */
  readonly heads: readonly { readonly database: string; readonly treeSize: number }[];
};

/** Whose word counts, and where it is asked for. */
export type Vouching = {
  /** --cache: another one than go's. */
  readonly cache: string | undefined;
  /** go.sum files; without one the nearest above the working directory. */
  readonly goSums: readonly string[];
  /** Ask nobody: what is kept of databases is enough. */
  readonly isOffline: boolean;
};

export type VerifyRequest = Vouching & {
  /** `module@version`; all without one. */
  readonly versions: readonly string[];
  readonly fixes: boolean;
};

export type VerifyView = VerifyReport & {
  readonly goSums: readonly string[];
  readonly absent: readonly string[];
  readonly plan: RepairPlan;
  /** Undefined when nothing was to be changed. */
  readonly repair?: RepairReport;
};

export type GcRequest = {
  readonly cache: string | undefined;
  readonly maxBytes: number | undefined;
  readonly unusedMs: number | undefined;
  /** go.sum files whose versions stay. */
  readonly keep: readonly string[];
  readonly isDryRun: boolean;
};

export type GcView = { readonly root: string; readonly plan: GcPlan; readonly report?: GcReport };

export type RefreshRequest = {
  readonly cache: string | undefined;
  /** `module@version`; those of the go.mod at hand without one. */
  readonly versions: readonly string[];
};

export type RefreshView = {
  readonly root: string;
  readonly versions: readonly Refreshed[];
  readonly failures: readonly { readonly what: string; readonly reason: string }[];
  readonly bytes: number;
  readonly ms: number;
  readonly wasInterrupted: boolean;
};

/** One question to a checksum database, and what its answer is good for. */
export type TracedQuestion = {
  readonly route: string;
  readonly path: string;
  readonly proves: "record" | "head" | "tile";
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly bytes: number;
  readonly ms: number;
  readonly reason?: string;
};

export type ModuleView = VersionReport & { readonly questions: readonly TracedQuestion[]; readonly life: Life };

export type SmokeView = {
  readonly what: string;
  readonly proxy: string;
  readonly sumdb: string;
  readonly ms: number;
  readonly bytes: number;
  readonly requests: readonly TracedRequest[];
  readonly findings: readonly Finding[];
};

export type ModcacheServices = {
  /** A look at the last used versions, for doctor: nothing is asked of the network. */
  readonly examine: (signal: AbortSignal) => Promise<ExaminedCache>;
  readonly info: (cache: string | undefined) => Promise<InfoView>;
  /** `onPlan` is told before anything is changed. */
  readonly verify: (
    request: VerifyRequest,
    on: {
      readonly progress: (done: number, total: number) => void;
      readonly plan: (view: VerifyView) => void;
    },
  ) => Promise<VerifyView>;
  readonly gc: (request: GcRequest, onPlan: (view: GcView) => void) => Promise<GcView>;
  readonly refresh: (request: RefreshRequest, progress: (done: number, total: number) => void) => Promise<RefreshView>;
  readonly module: (what: string, request: Vouching) => Promise<ModuleView>;
  readonly smoke: (what: string, timeoutMs: number) => Promise<SmokeView>;
};
