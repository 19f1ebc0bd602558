// How the go command of a version makes its requests. Source: cmd/go/internal/web/http.go; protocol reference §2.8.

import { compareGoVersions } from "#protocol/gover.ts";
import type { HttpProtocol } from "./http-ports.ts";

/** cmd/go checkRedirect: the tenth is refused. */
export const maxRedirects = 9;

/** What this version calls itself; before 1.27 it was net/http's own name. */
export function userAgentOf(goVersion: string): Readonly<Record<HttpProtocol, string>> {
  if (compareGoVersions(goVersion, "1.27rc1") >= 0) return always("GoCommand/1 (+https://go.dev/cmd/go)");
  return { "http/1.1": "Go-http-client/1.1", h2: "Go-http-client/2.0" };
}

/** From 1.24 on go asks once more after any 4xx from an https URL, with credentials looked up anew. */
export function repeatsClientErrors(goVersion: string): boolean {
  return compareGoVersions(goVersion, "1.24") >= 0;
}

/** Our own name, wherever we do not stand in for go. */
export function ownUserAgent(version: string): Readonly<Record<HttpProtocol, string>> {
  return always(`granary-doctor/${version} (a diagnosis that a user runs)`);
}

/** Honest about who asks, in the form that filters for browsers let pass. */
export function browserLikeUserAgent(version: string): Readonly<Record<HttpProtocol, string>> {
  return always(`Mozilla/5.0 (compatible; granary-doctor/${version})`);
}

function always(name: string): Readonly<Record<HttpProtocol, string>> {
  return { "http/1.1": name, h2: name };
}
