// What a fetch means to the go command, and the short text people read of it.

import { duration } from "#services/errors/sentences.ts";
import type { Evidence } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import type { Fetch, FetchEnd } from "./http-fetch.ts";
import type { HttpExchange } from "./http-ports.ts";

/** `ok` is 200 alone; `absent` is 404 and 410, after which go asks the next entry of its list; the rest are errors. */
export type Outcome = "ok" | "absent" | "error";

export function outcomeOf({ end }: Fetch): Outcome {
  // The limit is ours: the server did nothing wrong, and go would have read on.
  if (end.kind === "fault" && end.fault.kind === "too-large" && end.exchange.status === 200) return "ok";
  if (end.kind !== "answer") return "error";
  if (end.status === 200) return "ok";
  return end.status === 404 || end.status === 410 ? "absent" : "error";
}

/** What came back, whole or not. */
export function lastExchange({ exchanges }: Pick<Fetch, "exchanges">): HttpExchange | undefined {
  return exchanges.at(-1);
}

/** A page for people where go expects a file: a captive portal, a log-in form, an error page. */
export function isHtml({ headers, body }: HttpExchange): boolean {
  const start = new TextDecoder().decode(body.subarray(0, 200)).trimStart();
  return /^text\/html\b/i.test(headers["content-type"] ?? "") || /^<(?:!doctype|html|head|body)\b/i.test(start);
}

/** `403`, `connection refused`: in a table and in titles. */
export function endText(end: FetchEnd): string {
  switch (end.kind) {
    case "answer":
      return String(end.status);
    case "fault":
      return end.fault.egressStatus === undefined ? end.fault.kind : `${end.fault.kind} ${end.fault.egressStatus}`;
    case "refused":
      return end.why;
  }
}

/** `GET https://… → 403 (212 ms)`, one per exchange. */
export function seen({ exchanges, end }: Fetch): readonly Evidence[] {
  const lines = exchanges.map((exchange): Evidence => ({ kind: "seen", text: seenText(exchange) }));
  if (end.kind !== "refused" || end.text === "") return lines;
  return [...lines, { kind: "value", text: withoutCredentials(end.text) }];
}

export function seenText({ url, status, fault, phases, headers, via }: HttpExchange): string {
  const said = [
    ...(status === undefined ? [] : [String(status)]),
    ...(fault === undefined ? [] : [fault.message]),
    ...(headers["location"] === undefined ? [] : [`Location: ${headers["location"]}`]),
  ].join(", ");
  const way = via === undefined ? "" : ` via ${via}`;
  return withoutCredentials(`GET ${url}${way} → ${said} (${duration(phases.totalMs)})`);
}

/** `host:port` as people know it. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host || "file" : url;
}
