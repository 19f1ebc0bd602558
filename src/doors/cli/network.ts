// What commands about the network have in common.

import { GranaryError } from "#services/errors/granary-error.ts";
import type { Call, CommandFlag } from "./command.ts";
import { textOption } from "./command.ts";
import type { Announce, TlsCall } from "./network-view.ts";
import type { CliContext } from "./services.ts";
import { harmless } from "./text.ts";
import { readWait } from "./units.ts";

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
