// What commands about the network ask of the program (src/app/network.ts), and what they have in common.

import type { CompareReport } from "#services/analysers/dns-compare.ts";
import type { DnsCache } from "#services/analysers/dns-flush.ts";
import type { WhichReport } from "#services/analysers/dns-which.ts";
import type { ExportedRoots } from "#services/analysers/export-root.ts";
import type { Examined, TlsReport } from "#services/analysers/tls-report.ts";
import type { Fix } from "#services/findings/fix.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Call, CommandFlag } from "./command.ts";
import { textOption } from "./command.ts";
import type { CliContext } from "./services.ts";
import { harmless } from "./text.ts";
import { readWait } from "./units.ts";

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
  ) => Promise<{ readonly report: Examined<TlsReport>; readonly roots: ExportedRoots | undefined; readonly fixes: readonly Fix[] }>;
};

export const verboseFlag: CommandFlag = { flag: "--verbose", about: "flag.network-verbose" };

/** Says each network call before it is made: to a terminal, or with --verbose. */
export function announcer({ options }: Pick<Call, "options">, { io }: CliContext): Announce {
  if (!io.isTerminal && options["verbose"] !== true) return () => undefined;
  return (call) => io.stderr(`→ ${harmless(call)}\n`);
}

/** `host`, `host:port`, `[::1]:port`, or a URL; without a port 443. Throws GRANARY_BAD_FLAG. */
export function readHostPort(text: string, initial = 443): { readonly host: string; readonly port: number } {
  const bad = (): GranaryError =>
    new GranaryError("GRANARY_BAD_FLAG", { flag: "HOST:PORT", value: text, accepted: "goproxy.cn:443, [::1]:8443" });
  const isUrl = /^https?:\/\//i.test(text);
  if (isUrl && !URL.canParse(text)) throw bad();
  const place = isUrl ? new URL(text).host : text;
  const [, six, four, port] = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/i.exec(place) ?? [];
  // An IPv6 address alone needs no brackets.
  const host = six ?? four ?? (/^[0-9a-f]*:[0-9a-f:.]*$/i.test(place) ? place : undefined);
  const number = port === undefined ? (isUrl && text.toLowerCase().startsWith("http:") ? 80 : initial) : Number(port);
  if (host === undefined || host.length > 253 || number < 1 || number > 65_535) throw bad();
  return { host, port: number };
}

export function readTlsCall({ args, options }: Pick<Call, "args" | "options">): TlsCall {
  const min = textOption({ options }, "min");
  const version = min === undefined ? undefined : /^(?:tls(?:v)?)?(1\.[23])$/i.exec(min)?.[1];
  if (min !== undefined && version === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--min", value: min, accepted: "1.2, 1.3" });
  return {
    ...readHostPort(args[0] ?? ""),
    servername: textOption({ options }, "servername"),
    min: version === undefined ? undefined : version === "1.3" ? "TLSv1.3" : "TLSv1.2",
    proxy: textOption({ options }, "proxy"),
    timeoutMs: readTimeout(options),
  };
}

export function readTimeout(options: Call["options"]): number | undefined {
  const timeout = textOption({ options }, "timeout");
  return timeout === undefined ? undefined : Math.max(1, readWait("--timeout", timeout));
}
