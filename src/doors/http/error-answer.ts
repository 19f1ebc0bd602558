// An error as an answer: text/plain, few lines, a status that go understands, and an id or a code to ask about.

import type { Target } from "#protocol/request.ts";
import { render } from "#services/errors/catalogue.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { GranaryError } from "#services/errors/granary-error.ts";
import { currentTrace, newTrace } from "#services/events/trace.ts";
import type { AnswerUse, Exchange } from "./answers.ts";
import { isRelayed } from "./caller.ts";
import type { Explainer } from "./explainer.ts";
import { hotBody } from "./hot.ts";
import type { HotCache, HotEntry } from "./hot.ts";
import { isSteady, statusFor } from "./problems.ts";

export type ErrorUse = Pick<AnswerUse, "settings" | "counters" | "clock"> & {
  /** Ready-made 404 answers. */
  readonly absent: HotCache;
  /** Remembers errors by request id; without one, answers name their code. */
  readonly explainer?: Explainer;
};

/** Answers with an error, and keeps a steady one ready-made. */
export function answerError(
  use: ErrorUse,
  exchange: Exchange,
  what: { readonly error: GranaryError; readonly target: Target | undefined },
): void {
  const { error, target } = what;
  const { lang, notices, privacy } = use.settings();
  // A limited client could push everybody's last errors out of memory; its own says all there is to say.
  const isRemembered = use.explainer !== undefined && error.code !== "GRANARY_RATE_LIMITED";
  const id = currentTrace() ?? newTrace();
  const path = modulePathOf(target);
  const isPrivate = path !== "" && privacy.mustNotTravel(path);
  const at = new Date(use.clock.now()).toISOString();
  if (isRemembered)
    use.explainer.add({ id, at, target: exchange.url, code: error.code, fields: error.fields, isPrivate });
  const status = statusFor(error.code);
  const body = Buffer.from(`${render(error, lang, isRemembered ? id : error.code).join("\n")}\n`);
  const steady = isSteady(error.code) && !isPrivate;
  const count = use.counters.problem(error.code);
  count.n++;
  const head = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(body.length),
    "Cache-Control",
    steady ? `public, max-age=${use.settings().freshness.negativeSeconds}` : "no-store",
    "X-Go-Proxy-Cache",
    "MISS",
    "X-Go-Proxy-Status",
    "-|MISS",
    "X-Request-Id",
    id,
    "X-Content-Type-Options",
    "nosniff",
    ...moreHead(error),
    ...notices,
  ];
  // What was refused may be followed by what it smuggled in. A worker's own connection goes on: it closes its client's.
  if (status === 400 && exchange.request.httpVersionMajor === 1 && !isRelayed(exchange.request))
    head.push("Connection", "close");
  exchange.response.writeHead(status, head).end(body);
  if (!steady) return;
  const untilMs = use.clock.now() + use.settings().freshness.negativeSeconds * 1000;
  const entry: HotEntry = { status, head, body: hotBody(body), etag: undefined, untilMs, count, path };
  use.absent.set(exchange.url, entry);
}

/** The module that a request is about; empty when it is about none. */
function modulePathOf(target: Target | undefined): string {
  if (target === undefined || target.kind === "house") return "";
  if (target.kind === "sumdb") return target.endpoint.kind === "lookup" ? target.endpoint.path : "";
  return "path" in target ? target.path : "";
}

/** Header lines that a status asks for. */
function moreHead(error: GranaryError): string[] {
  if (isGranaryError(error, "GRANARY_BAD_RANGE")) return ["Content-Range", `bytes */${error.fields.size}`];
  if (error.code === "GRANARY_UNAUTHORIZED" || error.code === "GRANARY_NEEDS_WRITE_TOKEN")
    return ["WWW-Authenticate", 'Basic realm="granary", charset="UTF-8"'];
  if (isGranaryError(error, "GRANARY_METHOD_NOT_ALLOWED")) return ["Allow", error.fields.allowed];
  if (isGranaryError(error, "GRANARY_RATE_LIMITED") || isGranaryError(error, "GRANARY_UPSTREAM_BUSY"))
    return ["Retry-After", String(error.fields.waitSeconds)];
  if (error.code === "GRANARY_OVERLOADED" || error.code === "GRANARY_DRAINING") return ["Retry-After", "5"];
  return [];
}
