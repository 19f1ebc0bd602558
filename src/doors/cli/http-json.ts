// Requests and their answers as JSON: no bodies, no credentials.

import type { Step } from "#services/analysers/http-simulation.ts";
import type { HttpExchange } from "#services/analysers/http-ports.ts";
import type { Fetch } from "#services/analysers/http-fetch.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { endText } from "#services/analysers/http-outcome.ts";

export function stepJson({ name, walk }: Step): object {
  return {
    step: name,
    end: walk.end,
    tries: walk.tries.map(({ hop, base, outcome, unusable, fetch }) => ({
      hop,
      base: withoutCredentials(base),
      outcome,
      ...(unusable !== undefined && { unusable }),
      ...fetchJson(fetch),
    })),
  };
}

export function fetchJson({ exchanges, end }: Fetch): object {
  return { end: endText(end), requests: exchanges.map(exchangeJson) };
}

function exchangeJson({ url, protocol, address, via, phases, status, headers, body, fault }: HttpExchange): object {
  const times = Object.entries(phases).map(([name, ms]) => [name, Math.round(ms * 10) / 10] as const);
  return {
    url: withoutCredentials(url),
    protocol,
    address,
    via,
    ...Object.fromEntries(times),
    status,
    bytes: body.length,
    ...(headers["location"] !== undefined && { location: withoutCredentials(headers["location"]) }),
    ...(headers["content-type"] !== undefined && { contentType: headers["content-type"] }),
    ...(fault !== undefined && { fault }),
  };
}
