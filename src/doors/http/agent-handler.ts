// The agent's door: what go asks of a module proxy goes on to the company's server, and the answer comes back as it is,
// streamed. It verifies nothing, since go does; it remembers nothing, and tells nobody what it was given to add.

import { once } from "node:events";
import type { Target } from "#protocol/request.ts";
import { render } from "#services/errors/catalogue.ts";
import { asGranaryError, GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { FaultReason, UpstreamResponse } from "#services/upstreams/ports.ts";
import { guard, readTarget } from "./arrival.ts";
import { namesThisMachine } from "./caller.ts";
import type { Handler } from "./client-certificate.ts";
import { statusFor } from "./problems.ts";
import type { Request, Response } from "./send.ts";

/** The company's server, with the certificate or token that it wants. */
export interface Company {
  /** Its URL without credentials. */
  readonly url: string;
  /** Throws UpstreamFault. */
  get(request: {
    readonly path: string;
    readonly method: "GET" | "HEAD";
    readonly headers: Readonly<Record<string, string>>;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
  }): Promise<UpstreamResponse>;
}

export type AgentUse = {
  readonly company: Company;
  readonly lang: Lang;
  /** Requests that name another host than this machine are refused; off when the agent is open to the network. */
  readonly isLocal: boolean;
  readonly onFailure: (what: string, because: string, detail: string) => void;
};

/** The longest target that a module can have fits several times. */
const maxTarget = 4096;
/** x/mod/zip MaxZipFile. */
const maxZipBytes = 500 * 1024 * 1024;
/** x/mod/zip MaxGoMod; lists, tiles and records are smaller. */
const maxSmallBytes = 16 * 1024 * 1024;
/** A reader that takes nothing for this long is gone. */
const stalledReaderMs = 60_000;

/** Of the request. Credentials that go has for this address are not the company's. */
const asked = ["range", "if-range", "if-none-match", "if-modified-since", "disable-module-fetch"] as const;
/** Of the answer. Lengths and codings belong to the body, which may have been decoded on the way. */
const answered = [
  "content-type",
  "content-range",
  "accept-ranges",
  "cache-control",
  "etag",
  "last-modified",
  "retry-after",
  "x-go-proxy-cache",
  "x-go-proxy-status",
  "x-granary-warning",
  "x-request-id",
] as const;

export function makeAgentHandler(use: AgentUse): Handler {
  return (request, response) => void handle(use, request, response);
}

async function handle(use: AgentUse, request: Request, response: Response): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  // Its "close" follows and says it all.
  response.on("error", () => undefined);
  try {
    const target = targetOf(use, request);
    if (target.kind === "house") sendText(response, 200, "ok\n");
    else await pass(use, { request, response, target, signal: gone.signal });
  } catch (error) {
    if (gone.signal.aborted || response.destroyed) return;
    if (response.headersSent) {
      // Part of an answer has left: only a broken connection says that the rest is missing.
      response.destroy();
      return;
    }
    const ours = asGranaryError(error);
    sendText(response, statusFor(ours.code), `${render(ours, use.lang).join("\n")}\n`);
  }
}

/** What the agent passes on, or its own liveness. Throws GranaryError for everything else. */
function targetOf(use: AgentUse, request: Request): Target {
  const { method = "", url = "" } = request;
  guard(request);
  if (method !== "GET" && method !== "HEAD")
    throw new GranaryError("GRANARY_METHOD_NOT_ALLOWED", { method, allowed: "GET, HEAD" });
  // A web page may make its own name resolve to this machine and borrow the agent's credential (DNS rebinding).
  if (use.isLocal && !namesThisMachine(request))
    throw new GranaryError("GRANARY_BAD_REQUEST", { target: url, reason: "the Host header names another machine" });
  const target = readTarget(url, maxTarget);
  if (target.kind === "impossible") throw new GranaryError("GRANARY_IMPOSSIBLE", { what: url, reason: target.reason });
  if (target.kind === "house" && url !== "/-/livez") throw new GranaryError("GRANARY_NO_ROUTE", { target: url });
  return target;
}

type Passing = {
  readonly request: Request;
  readonly response: Response;
  readonly target: Target;
  readonly signal: AbortSignal;
};

async function pass(use: AgentUse, { request, response, target, signal }: Passing): Promise<void> {
  const { url: path = "" } = request;
  const method = request.method === "HEAD" ? "HEAD" : "GET";
  const maxBytes = target.kind === "zip" ? maxZipBytes : maxSmallBytes;
  try {
    const answer = await use.company.get({ path, method, headers: pick(request.headers, asked), maxBytes, signal });
    try {
      response.writeHead(answer.status, headOf(answer));
      if (method === "HEAD" || answer.status === 304) response.end();
      else await sendBody(response, answer.body);
    } finally {
      answer.cancel();
    }
  } catch (error) {
    if (!(error instanceof UpstreamFault)) throw error;
    const because = becauseOf(error, use.company.url);
    if (!signal.aborted) use.onFailure(path, because, error.message);
    const fields = { what: path, server: use.company.url, because, detail: error.message };
    throw new GranaryError("GRANARY_AGENT_FAILED", fields, { cause: error });
  }
}

function headOf({ headers }: UpstreamResponse): Record<string, string> {
  const head: Record<string, string> = pick(headers, answered);
  const length = headers["content-length"];
  if (length !== undefined && (headers["content-encoding"] ?? "identity") === "identity")
    head["content-length"] = length;
  return head;
}

async function sendBody(response: Response, body: AsyncIterable<Uint8Array>): Promise<void> {
  const gone = new Promise((resolve) => response.once("close", resolve));
  response.setTimeout(stalledReaderMs, () => response.destroy());
  for await (const chunk of body) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await Promise.race([once(response, "drain"), gone]);
  }
  response.end();
}

function pick(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === "string") picked[name] = value;
  }
  return picked;
}

type Because = "tls" | "certificate" | "timeout" | "unreachable" | "broken";

const becauses: Partial<Readonly<Record<FaultReason, Because>>> = {
  tls: "tls",
  timeout: "timeout",
  refused: "unreachable",
  unresolved: "unreachable",
  unreachable: "unreachable",
};

/** A server that refuses a certificate says so in an alert, or in TLS 1.3 only by breaking the connection. */
function becauseOf({ reason, message }: UpstreamFault, url: string): Because {
  if (reason === "tls" && /alert/i.test(message)) return "certificate";
  if (reason === "reset" && url.startsWith("https:")) return "certificate";
  return becauses[reason] ?? "broken";
}

function sendText(response: Response, status: number, text: string): void {
  const body = Buffer.from(text);
  const head = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", String(body.length)];
  response.writeHead(status, [...head, "Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"]).end(body);
}
