// One fetch as the go command does it: a GET, and redirects followed by its rules. Source: cmd/go web.get, checkRedirect;
// net/http Client.do. What came of it is data.

import type { HttpAsk, HttpExchange, HttpFault, HttpProber } from "./http-ports.ts";
import { maxRedirects } from "./http-go.ts";

export type Fetch = {
  /** The first request and those that redirects led to; empty when go sends nothing. */
  readonly exchanges: readonly HttpExchange[];
  readonly end: FetchEnd;
};

export type FetchEnd =
  | { readonly kind: "answer"; readonly status: number; readonly exchange: HttpExchange }
  /** No answer, or one that broke off. */
  | { readonly kind: "fault"; readonly fault: HttpFault; readonly exchange: HttpExchange }
  /**
   * `loop`: a tenth redirect. `insecure`: from https to http. `no-location`: go takes it for an error. `credentials`:
   * they would go over plain http, and go sends nothing.
   */
  | {
      readonly kind: "refused";
      readonly why: "loop" | "insecure" | "no-location" | "credentials";
      readonly text: string;
    };

export type FetchUse = Omit<HttpAsk, "url" | "authorization"> & {
  readonly prober: HttpProber;
  /** The value of Authorization that netrc has for a URL. */
  readonly authorizationFor?: ((url: URL) => string | undefined) | undefined;
};

export async function fetchAsGo(url: string, use: FetchUse): Promise<Fetch> {
  const exchanges: HttpExchange[] = [];
  const first = new URL(url);
  if (hasPlainCredentials(first)) return { exchanges, end: { kind: "refused", why: "credentials", text: url } };
  const { prober, authorizationFor, ...ask } = use;
  const credentials = authorizationOf(first, authorizationFor);
  for (let next = first; ;) {
    const authorization = mayKnow(next, first) ? credentials : undefined;
    const exchange = await prober.get({ ...ask, url: next.href, authorization });
    exchanges.push(exchange);
    const { status, fault } = exchange;
    if (fault !== undefined || status === undefined)
      return { exchanges, end: { kind: "fault", fault: fault ?? noAnswer, exchange } };
    if (!isRedirect(status)) return { exchanges, end: { kind: "answer", status, exchange } };
    const to = nextOf(exchange, exchanges.length);
    if (!(to instanceof URL)) return { exchanges, end: to };
    next = to;
  }
}

const noAnswer: HttpFault = { kind: "closed", during: "answer", message: "no answer" };

/** net/http redirectBehavior. */
function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** `refusing to pass credentials to insecure URL`, loopback or not. */
function hasPlainCredentials({ protocol, username, password }: URL): boolean {
  return protocol === "http:" && `${username}${password}` !== "";
}

/** The URL's own userinfo comes first; netrc is read for https only. */
function authorizationOf(url: URL, find: FetchUse["authorizationFor"]): string | undefined {
  const { protocol, username, password } = url;
  if (`${username}${password}` === "") return protocol === "https:" ? find?.(url) : undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** net/http shouldCopyHeaderOnRedirect: the first host and those below it. */
function mayKnow({ hostname }: URL, first: URL): boolean {
  return hostname === first.hostname || hostname.endsWith(`.${first.hostname}`);
}

function nextOf({ url, headers }: HttpExchange, count: number): URL | (FetchEnd & { readonly kind: "refused" }) {
  const from = new URL(url);
  const location = headers["location"] ?? "";
  if (location === "" || !URL.canParse(location, from.href))
    return { kind: "refused", why: "no-location", text: location };
  const to = new URL(location, from.href);
  if (from.protocol === "https:" && to.protocol !== "https:")
    return { kind: "refused", why: "insecure", text: to.href };
  if (count > maxRedirects) return { kind: "refused", why: "loop", text: to.href };
  return to;
}
