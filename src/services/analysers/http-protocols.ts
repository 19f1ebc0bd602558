// HTTP/2 beside HTTP/1.1 against one server: time to the first byte, twenty requests at once, what was reset. Small
// GETs only, each few, and none after the server asks to be left alone.

import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import { duration } from "#services/errors/sentences.ts";
import { failure } from "./http-causes.ts";
import { ownUserAgent } from "./http-go.ts";
import { hostOf } from "./http-outcome.ts";
import type { HttpAsk, HttpExchange, HttpProber, HttpProtocol } from "./http-ports.ts";

export type CompareUse = {
  readonly prober: HttpProber;
  /** Our own version, for the name in the requests. */
  readonly version: string;
  readonly authorization?: string | undefined;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  readonly rounds?: number;
  readonly atOnce?: number;
};

export type ProtocolRun = {
  readonly protocol: HttpProtocol;
  /** Median of the rounds; undefined when none was answered. */
  readonly firstByteMs: number | undefined;
  readonly rounds: readonly HttpExchange[];
  readonly burst: { readonly asked: number; readonly answered: number; readonly wallMs: number };
  /** RST_STREAM, GOAWAY and connections that broke, of all requests. */
  readonly resets: number;
  readonly asked: number;
};

export type Comparison = {
  readonly url: string;
  /** `busy`: the server asked to be left alone. `plain`: without TLS there is no HTTP/2 for go. `none`: not offered. */
  readonly verdict: "same" | "h2-better" | "http1-better" | "h2-broken" | "none" | "unreachable" | "busy" | "plain";
  readonly h2: ProtocolRun | undefined;
  readonly http1: ProtocolRun | undefined;
  readonly findings: readonly Finding[];
};

export const defaultRounds = 5;
export const defaultAtOnce = 20;
/** A list or an .info; what is larger is read so far. */
const maxBytes = 64 * 1024;
const defaultTimeoutMs = 10_000;

/** @param url an https URL whose answer is small. Throws the signal's reason. */
export async function compareProtocols(url: string, use: CompareUse): Promise<Comparison> {
  const nothing = { url, h2: undefined, http1: undefined, findings: [] } as const;
  if (!/^https:/i.test(url)) return { ...nothing, verdict: "plain" };
  const ask: HttpAsk = {
    url,
    userAgent: ownUserAgent(use.version),
    authorization: use.authorization,
    route: "usual",
    maxBytes,
    timeoutMs: use.timeoutMs ?? defaultTimeoutMs,
    signal: use.signal,
  };
  const first = await use.prober.get(ask);
  if (isBusy(first)) return { ...nothing, verdict: "busy" };
  const http1 = await run("http/1.1", ask, use);
  const isOffered = first.protocol === "h2";
  if (!isOffered && isAnswered(first)) {
    const findings = [found(httpFindings, "HTTP_NO_H2", { host: hostOf(url) })];
    return { ...nothing, verdict: "none", http1, findings };
  }
  const h2 = await run("h2", ask, use);
  if ([...http1.rounds, ...h2.rounds].some(isBusy)) return { ...nothing, verdict: "busy", h2, http1 };
  return { url, h2, http1, ...judge(url, h2, http1) };
}

async function run(protocol: HttpProtocol, ask: HttpAsk, use: CompareUse): Promise<ProtocolRun> {
  const { prober, rounds: count = defaultRounds, atOnce = defaultAtOnce } = use;
  const offered: HttpAsk = { ...ask, offer: [protocol] };
  const rounds: HttpExchange[] = [];
  for (let at = 0; at < count && !rounds.some(isBusy); at++) rounds.push(await prober.get(offered));
  // Twenty more of what fails each time would prove nothing.
  const isHopeless = !rounds.some(isAnswered) || rounds.some(isBusy);
  const { exchanges, wallMs } = isHopeless ? { exchanges: [], wallMs: 0 } : await prober.burst(offered, atOnce);
  const all = [...rounds, ...exchanges];
  return {
    protocol,
    firstByteMs: median(rounds.filter(isAnswered).flatMap(({ phases }) => phases.firstByteMs ?? [])),
    rounds,
    burst: { asked: exchanges.length, answered: exchanges.filter(isAnswered).length, wallMs },
    resets: all.filter(isReset).length,
    asked: all.length,
  };
}

/** How much slower is worth a word: half as much again, and more than anybody's jitter. */
const slowerBy = 1.5;
const slowerMs = 50;

function judge(url: string, h2: ProtocolRun, http1: ProtocolRun): Pick<Comparison, "verdict" | "findings"> {
  const host = hostOf(url);
  const evidence = [evidenceOf(h2), evidenceOf(http1)];
  const fixes = [{ kind: "export", values: { GODEBUG: "http2client=0" } } as const];
  const [firstH2] = h2.rounds;
  if (http1.firstByteMs === undefined) {
    const [one] = http1.rounds;
    if (h2.firstByteMs !== undefined || one === undefined) return { verdict: "h2-better", findings: [] };
    const fault = one.fault ?? { kind: "closed", during: "answer", message: "no answer" };
    const fetch = { exchanges: [one], end: { kind: "fault", fault, exchange: one } } as const;
    return { verdict: "unreachable", findings: [failure(fetch, one, { step: "GET", host })] };
  }
  if (h2.firstByteMs === undefined) {
    const said = firstH2?.fault?.h2Code ?? firstH2?.fault?.kind ?? "no answer";
    return {
      verdict: "h2-broken",
      findings: [found(httpFindings, "HTTP_H2_BROKEN", { host, said }, { evidence, fixes })],
    };
  }
  if (h2.resets > 0 && http1.resets === 0) {
    const fields = { host, resets: h2.resets, of: h2.asked };
    return { verdict: "h2-broken", findings: [found(httpFindings, "HTTP_H2_RESETS", fields, { evidence, fixes })] };
  }
  const [h2Ms, http1Ms] = [h2.firstByteMs, http1.firstByteMs];
  if (h2Ms > http1Ms * slowerBy && h2Ms - http1Ms > slowerMs) {
    const fields = { host, h2Ms: Math.round(h2Ms), http1Ms: Math.round(http1Ms) };
    return { verdict: "http1-better", findings: [found(httpFindings, "HTTP_H2_SLOWER", fields, { evidence, fixes })] };
  }
  const isBetter = http1Ms > h2Ms * slowerBy && http1Ms - h2Ms > slowerMs;
  return { verdict: isBetter ? "h2-better" : "same", findings: [] };
}

function evidenceOf({ protocol, firstByteMs, burst, resets, asked }: ProtocolRun): Evidence {
  const time = firstByteMs === undefined ? "-" : duration(firstByteMs);
  const atOnce = `${burst.answered}/${burst.asked} ${duration(burst.wallMs)}`;
  return { kind: "times", text: `${protocol}: TTFB ${time}, ${atOnce}, reset ${resets}/${asked}` };
}

/** Any status is an answer: what is compared is the way. */
function isAnswered({ status, fault }: HttpExchange): boolean {
  return status !== undefined && (fault === undefined || fault.kind === "too-large");
}

function isReset({ fault }: HttpExchange): boolean {
  return fault !== undefined && ["reset", "closed", "stream-reset", "going-away"].includes(fault.kind);
}

/** 429, or 503 with a time to come back. */
function isBusy({ status, headers }: HttpExchange): boolean {
  return status === 429 || (status === 503 && headers["retry-after"] !== undefined);
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
