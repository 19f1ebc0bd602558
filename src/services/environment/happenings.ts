// What can happen to one request, in the words of `env simulate`, and what the go command makes of it.
// Source: cmd/go modfetch TryProxies, proxy.go, web.HTTPError.Is; every row is in docs/fallback-table.md, measured.

export const happeningWords = [
  "refused",
  "reset",
  "unreachable",
  "dns",
  "tls",
  "timeout",
  "truncated",
  "badjson",
  "html",
  "empty",
] as const;

/** A status, or how it went without a usable one. */
export type Happening = number | (typeof happeningWords)[number];

/** Files of the protocol, as far as go treats their answers differently. */
export const operations = ["info", "mod", "zip", "list", "latest", "supported"] as const;
export type Operation = (typeof operations)[number];

export type Reaction =
  | "found"
  /** 404 and 410: the next hop is asked, whatever the separator. */
  | "absent"
  /** The next hop is asked only behind a pipe. */
  | "failed"
  /** The answer is taken, and turns out to be useless when nobody else is asked any more. */
  | "spoilt"
  /** The go command has no timeout: it waits until somebody ends it. */
  | "hangs";

export function reactionTo(happening: Happening, operation: Operation): Reaction {
  if (typeof happening === "number") {
    if (happening === 200) return "found";
    return happening === 404 || happening === 410 ? "absent" : "failed";
  }
  switch (happening) {
    case "timeout":
      return "hangs";
    case "refused":
    case "reset":
    case "unreachable":
    case "dns":
    case "tls":
    case "truncated":
      return "failed";
    case "badjson":
    case "html":
    case "empty":
      return reactionToBody(operation);
  }
}

/** A 200 with something else in it. `list` has no lines that are versions then: it is an empty list. */
function reactionToBody(operation: Operation): Reaction {
  switch (operation) {
    case "info":
    case "latest":
      return "failed";
    case "zip":
      return "spoilt";
    case "mod":
    case "list":
    case "supported":
      return "found";
  }
}

/** `404`, `5xx`-like words are not: one status or one word; undefined for anything else. */
export function parseHappening(text: string): Happening | undefined {
  const word = text.trim().toLowerCase();
  if (/^[1-5][0-9]{2}$/.test(word)) return Number(word);
  return happeningWords.find((known) => known === word);
}

/**
 * What one such failure costs before go does anything else, in milliseconds; infinite for silence.
 * Source: net/http DefaultTransport (dial 30 s, TLS handshake 10 s, no response timeout), net/dnsclient (5 s, twice).
 */
export function costMs(happening: Happening): number {
  if (happening === "timeout") return Number.POSITIVE_INFINITY;
  if (happening === "unreachable") return dialMs;
  if (happening === "tls") return tlsHandshakeMs;
  return happening === "dns" ? dnsMs : 0;
}

/** net/http DefaultTransport: net.Dialer Timeout. */
export const dialMs = 30_000;
/** net/http DefaultTransport: TLSHandshakeTimeout, when the other side says nothing. */
export const tlsHandshakeMs = 10_000;
/** Go's resolver with a silent name server: timeout 5 s, attempts 2 (net/dnsconfig_unix.go), for each server. */
export const dnsMs = 10_000;
