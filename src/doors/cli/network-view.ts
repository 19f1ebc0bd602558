// What commands about the network ask of the program (src/app/network.ts).

import type { DnsCache } from "#services/analysers/dns-flush.ts";
import type { CompareReport, WhichReport } from "#services/analysers/dns-report.ts";
import type { ExportedRoots } from "#services/analysers/export-root.ts";
import type { Examined, TlsReport } from "#services/analysers/tls-report.ts";
import type { Fix } from "#services/findings/fix.ts";

export type TlsCall = {
  readonly host: string;
  readonly port: number;
  readonly servername: string | undefined;
  readonly min: "TLSv1.2" | "TLSv1.3" | undefined;
  /** A URL, `direct`, or undefined for what the environment says, as go reads it. */
  readonly proxy: string | undefined;
  readonly timeoutMs: number | undefined;
};

/** Called before each network call. */
export type Announce = (call: string) => void;

export type CompareCall = {
  readonly host: string;
  /** Addresses with or without a port; none for those of the system and some that everybody knows. */
  readonly servers: readonly string[];
  readonly doh: readonly string[];
  readonly port: number;
  readonly timeoutMs: number | undefined;
};

/** `ran` undefined: it was only shown. */
export type FlushView = {
  readonly caches: readonly {
    readonly cache: DnsCache;
    readonly fixes: readonly Extract<Fix, { kind: "run" }>[];
    readonly ran: readonly { readonly code: number; readonly said: string }[] | undefined;
  }[];
};

export type NetworkCommands = {
  readonly dnsWhich: (
    call: { readonly host: string; readonly timeoutMs: number | undefined },
    announce: Announce,
  ) => Promise<Examined<WhichReport>>;
  readonly dnsCompare: (call: CompareCall, announce: Announce) => Promise<Examined<CompareReport>>;
  readonly dnsFlush: (runs: boolean, announce: Announce) => Promise<FlushView>;
  readonly tls: (call: TlsCall, announce: Announce) => Promise<Examined<TlsReport>>;
  /** Writes the file when one is named, never over another. Undefined when the server presented nothing. */
  readonly exportRoot: (
    call: TlsCall & { readonly out: string | undefined },
    announce: Announce,
  ) => Promise<{
    readonly report: Examined<TlsReport>;
    readonly roots: ExportedRoots | undefined;
    readonly fixes: readonly Fix[];
  }>;
};
