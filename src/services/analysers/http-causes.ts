// What one answer says against whoever gave it, or against what stands in between.

import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import type { Try } from "./http-chain.ts";
import type { Fetch } from "./http-fetch.ts";
import { maxRedirects } from "./http-go.ts";
import { endText, hostOf, isHtml, lastExchange, seen } from "./http-outcome.ts";
import type { HttpExchange } from "./http-ports.ts";
import type { StepName } from "./http-simulation.ts";

/** Longer than a proxy needs that fetches a small module first. */
export const slowFirstByteMs = 3_000;

type Context = { readonly step: StepName; readonly isFiltered: boolean };

export function causesOf(one: Try, { step, isFiltered }: Context): Finding[] {
  const { fetch, outcome, unusable } = one;
  const host = hostOf(one.base);
  const evidence = seen(fetch);
  const last = lastExchange(fetch);
  if (last === undefined) return [found(httpFindings, "HTTP_PLAIN_CREDENTIALS", { host }, { evidence })];
  const said = endText(fetch.end);
  if (last.status === 200 && step !== "supported" && isHtml(last))
    return [found(httpFindings, "HTTP_CAPTIVE_PORTAL", { step, host: hostOf(last.url), said }, { evidence })];
  const away = redirectFindings(fetch, { host, isBad: outcome === "error" && unusable === undefined });
  if (away.some(({ severity }) => severity === "fail")) return away;
  // A go.mod that is not as recorded is told where the hashes are.
  if (unusable !== undefined && step !== "info") return away;
  if (unusable !== undefined)
    return [...away, found(httpFindings, "HTTP_BAD_INFO", { host, reason: unusable }, { evidence })];
  // A 404 is a statement, and what go then does is said of the list.
  if (outcome === "absent") return [...away, ...pageFindings(fetch, last, { step, host })];
  if (outcome === "ok") return [...away, ...slowFindings(fetch, { step, host })];
  if (isFiltered) return [found(httpFindings, "HTTP_UA_FILTER", { host, said }, { evidence, confidence: "likely" })];
  return [failure(fetch, last, { step, host }), ...pageFindings(fetch, last, { step, host })];
}

type Asked = { readonly step: StepName; readonly host: string };

/** What an answer that did not come, or is no success, means. Of one fetch without a list as well. */
export function failure(
  fetch: Fetch,
  last: HttpExchange,
  { step, host }: { readonly step: string; readonly host: string },
): Finding {
  const evidence = seen(fetch);
  const said = endText(fetch.end);
  const { fault, via, status } = last;
  const fields = { step, host, said };
  if (status === 407 || fault?.egressStatus === 407)
    return found(httpFindings, "HTTP_PROXY_AUTH", { via: via ?? host }, { evidence });
  if (fault?.kind === "egress")
    return found(httpFindings, "HTTP_PROXY_REFUSED", { via: via ?? fault.message, host, said }, { evidence });
  if (fault !== undefined && status !== undefined)
    return found(httpFindings, "HTTP_TRUNCATED", { step, host, said: fault.message }, { evidence });
  if (fault?.kind === "timeout" && fault.during === "answer")
    return found(httpFindings, "HTTP_HANGS", fields, { evidence });
  if (status === undefined) return found(httpFindings, "HTTP_UNREACHABLE", fields, { evidence });
  if (status >= 500) return found(httpFindings, "HTTP_SERVER_ERROR", fields, { evidence });
  if (status >= 400) return found(httpFindings, "HTTP_REFUSED", fields, { evidence });
  return found(httpFindings, "HTTP_UNEXPECTED_STATUS", fields, { evidence });
}

function redirectFindings(
  fetch: Fetch,
  { host, isBad }: { readonly host: string; readonly isBad: boolean },
): Finding[] {
  const { exchanges, end } = fetch;
  const evidence = seen(fetch);
  const to = hostOf(end.kind === "refused" ? end.text : (exchanges.at(-1)?.url ?? ""));
  if (end.kind === "refused") {
    switch (end.why) {
      case "loop":
        return [found(httpFindings, "HTTP_REDIRECT_LOOP", { host, count: maxRedirects }, { evidence })];
      case "insecure":
        return [found(httpFindings, "HTTP_REDIRECT_INSECURE", { host, to }, { evidence })];
      case "no-location": {
        const said = String(exchanges.at(-1)?.status ?? "");
        return [found(httpFindings, "HTTP_REDIRECT_LOST", { host, said }, { evidence })];
      }
      case "credentials":
        return [found(httpFindings, "HTTP_PLAIN_CREDENTIALS", { host: to }, { evidence })];
    }
  }
  const first = exchanges[0];
  if (exchanges.length < 2 || first === undefined || hostOf(first.url) === to) return [];
  if (isBad) return [found(httpFindings, "HTTP_REDIRECT_BROKEN", { host, to, said: endText(end) }, { evidence })];
  return [found(httpFindings, "HTTP_REDIRECT_AWAY", { host, to }, { evidence })];
}

function pageFindings(fetch: Fetch, last: HttpExchange, { step, host }: Asked): Finding[] {
  if (last.status === undefined || last.status === 200 || !isHtml(last)) return [];
  const fields = { step, host, said: endText(fetch.end) };
  return [found(httpFindings, "HTTP_HTML_ERROR", fields, { evidence: seen(fetch) })];
}

function slowFindings({ exchanges }: Fetch, { step, host }: Asked): Finding[] {
  const ms = Math.max(...exchanges.map(({ phases }) => phases.firstByteMs ?? 0));
  if (ms < slowFirstByteMs) return [];
  const evidence = seen({ exchanges, end: { kind: "refused", why: "loop", text: "" } });
  return [found(httpFindings, "HTTP_SLOW_FIRST_BYTE", { step, host, ms: Math.round(ms) }, { evidence })];
}
