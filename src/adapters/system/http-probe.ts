// GETs as the go command makes them, timed phase by phase: for the analysers, who want to know what happened and not
// only whether it worked. A connection serves one request, so that each has all its phases.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { HttpAsk, HttpBurst, HttpExchange, HttpFault, HttpProber } from "#services/analysers/http-ports.ts";
import { Broken, faultOf } from "./_probe-fault.ts";
import { askHttp1 } from "./_probe-http1.ts";
import type { Answer } from "./_probe-http1.ts";
import { Http2Line } from "./_probe-http2.ts";
import { openLine } from "./_probe-line.ts";
import type { Line, LineUse } from "./_probe-line.ts";
import { Stopwatch } from "./_probe-watch.ts";

export type HttpProbeUse = LineUse;

export function httpProber(use: HttpProbeUse): HttpProber {
  return {
    get: (ask) => exchange(ask, use),
    burst: async (ask, count) => {
      const begunAt = performance.now();
      const exchanges =
        ask.offer?.includes("h2") === true
          ? await burstOfStreams(ask, count, use)
          : await Promise.all(Array.from({ length: count }, () => exchange(ask, use)));
      return { exchanges, wallMs: performance.now() - begunAt } satisfies HttpBurst;
    },
  };
}

/** What is known of an exchange before its answer. */
type Draft = {
  readonly ask: HttpAsk;
  readonly watch: Stopwatch;
  readonly line: Line | undefined;
};

async function exchange(ask: HttpAsk, use: LineUse): Promise<HttpExchange> {
  if (/^file:/i.test(ask.url)) return await readAnswerFile(ask);
  const watch = new Stopwatch();
  const time = limitOf(ask);
  try {
    const line = await open(ask, { watch, use, signal: time.signal });
    return await underLimit(line, time, async () => {
      watch.enter("answer");
      const answer = line.protocol === "h2" ? await onlyStream(line, ask, watch) : await askHttp1(line, ask, watch);
      return finished({ ask, watch, line }, answer, time);
    });
  } catch (error) {
    return failed({ ask, watch, line: undefined }, error, time);
  }
}

/** Streams of one connection; each has the connection's phases. */
async function burstOfStreams(ask: HttpAsk, count: number, use: LineUse): Promise<HttpExchange[]> {
  const watch = new Stopwatch();
  const time = limitOf(ask);
  let line: Line;
  try {
    line = await open(ask, { watch, use, signal: time.signal });
  } catch (error) {
    const one = failed({ ask, watch, line: undefined }, error, time);
    return Array.from({ length: count }, () => one);
  }
  return await underLimit(line, time, async () => {
    const session = new Http2Line(line, ask);
    try {
      const streams = Array.from({ length: count }, async () => {
        const own = new Stopwatch();
        own.enter("answer");
        try {
          return finished({ ask, watch: own, line }, await session.ask(ask, own), time);
        } catch (error) {
          return failed({ ask, watch: own, line }, error, time);
        }
      });
      return await Promise.all(streams);
    } finally {
      session.close();
    }
  });
}

async function onlyStream(line: Line, ask: HttpAsk, watch: Stopwatch): Promise<Answer> {
  const session = new Http2Line(line, ask);
  try {
    return await session.ask(ask, watch);
  } finally {
    session.close();
  }
}

type Opening = { readonly watch: Stopwatch; readonly use: LineUse; readonly signal: AbortSignal };

async function open(ask: HttpAsk, { watch, use, signal }: Opening): Promise<Line> {
  const { offer = ["h2", "http/1.1"] } = ask;
  return await openLine({ url: new URL(ask.url), isDirect: ask.route === "direct", offer, watch, signal }, use);
}

type Limit = { readonly signal: AbortSignal; readonly isLate: () => boolean };

function limitOf({ timeoutMs, signal }: HttpAsk): Limit {
  const late = AbortSignal.timeout(timeoutMs);
  return { signal: AbortSignal.any([signal, late]), isLate: () => late.aborted };
}

/** A socket that is gone ends whatever reads from it. */
async function underLimit<T>({ socket }: Line, { signal }: Limit, work: () => Promise<T>): Promise<T> {
  const stop = (): void => void socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function finished(draft: Draft, answer: Answer, time: Limit): HttpExchange {
  draft.ask.signal.throwIfAborted();
  const { status, headers, failure } = answer;
  if (failure !== undefined) return { ...base(draft), ...answer, fault: faultNow(draft, failure, time) };
  if (headers["content-encoding"] !== "gzip" || answer.body.length === 0)
    return { ...base(draft), status, headers, body: answer.body, fault: undefined };
  try {
    const body = gunzipSync(answer.body, { maxOutputLength: draft.ask.maxBytes });
    return { ...base(draft), status, headers, body, fault: undefined };
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    const kind = isLarge ? "too-large" : "protocol";
    const broken = new Broken({ kind }, isLarge ? `more than ${draft.ask.maxBytes} bytes` : "the body is no gzip");
    return { ...base(draft), status, headers, body: new Uint8Array(), fault: faultNow(draft, broken, time) };
  }
}

function failed(draft: Draft, error: unknown, time: Limit): HttpExchange {
  draft.ask.signal.throwIfAborted();
  const fault = faultNow(draft, error, time);
  return { ...base(draft), status: undefined, headers: {}, body: new Uint8Array(), fault };
}

function faultNow({ watch, ask }: Draft, error: unknown, time: Limit): HttpFault {
  const fault = faultOf(error, watch.phase);
  if (!time.isLate() || fault.kind === "too-large") return fault;
  return { kind: "timeout", during: watch.phase, message: `no whole answer within ${ask.timeoutMs} ms` };
}

function base({ ask, watch, line }: Draft): Pick<HttpExchange, "url" | "protocol" | "address" | "via" | "phases"> {
  return {
    url: ask.url,
    protocol: line?.protocol,
    address: line?.address,
    via: line?.proxy?.host,
    phases: watch.phases(),
  };
}

/** cmd/go web.getFile: a missing file is a 404, one that may not be read a 403. */
async function readAnswerFile({ url, maxBytes }: HttpAsk): Promise<HttpExchange> {
  const begunAt = performance.now();
  const answer = (status: number, body: Uint8Array = new Uint8Array(), fault?: HttpFault): HttpExchange => ({
    url,
    protocol: "file",
    address: undefined,
    via: undefined,
    phases: { totalMs: performance.now() - begunAt },
    status,
    headers: {},
    body,
    fault,
  });
  try {
    const bytes = await readFile(fileURLToPath(url));
    if (bytes.length <= maxBytes) return answer(200, bytes);
    const fault = { kind: "too-large", during: "body", message: `more than ${maxBytes} bytes` } as const;
    return answer(200, bytes.subarray(0, maxBytes), fault);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return answer(code === "ENOENT" || code === "ENOTDIR" ? 404 : code === "EACCES" || code === "EPERM" ? 403 : 500);
  }
}
