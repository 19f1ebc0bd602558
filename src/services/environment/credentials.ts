// Which credentials a hop is sent. Source: cmd/go/internal/auth, web.get; protocol reference §2.9.

import { findNetrc, parseNetrc } from "#protocol/netrc.ts";
import type { NetrcEntry } from "#protocol/netrc.ts";
import { trimSpace } from "#protocol/space.ts";
import { knows } from "./go-versions.ts";
import { valueOf } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { FileSeen } from "./surroundings.ts";

export type Credentials =
  | { readonly kind: "none" }
  /** User and password stand in the URL. */
  | { readonly kind: "url" }
  /** They stand in an http URL: go refuses to send them, and the request fails. */
  | { readonly kind: "refused" }
  /** `machine` of the entry that is sent. */
  | { readonly kind: "netrc"; readonly machine: string; readonly login: string }
  /** An entry for the host, which this go does not take: `wanted` is what the machine would have to be called. */
  | { readonly kind: "netrc-port"; readonly machine: string; readonly wanted: string }
  /** A command decides when it is run. */
  | { readonly kind: "goauth"; readonly command: string };

/** @param url a hop, or a checksum database */
export function credentialsFor(url: string, settings: Settings, netrc: FileSeen): Credentials {
  const [, scheme = "", user, authority = ""] = /^([a-z]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)/i.exec(url) ?? [];
  if (user !== undefined) return { kind: scheme === "http" ? "refused" : "url" };
  // Never over plain http, from whatever source.
  if (scheme !== "https") return { kind: "none" };
  if (!knows(settings.version, "auth")) return fromNetrc(authority, netrc, settings.version);
  for (const command of valueOf(settings, "GOAUTH").split(";").map(trimSpace)) {
    if (command === "off") return { kind: "none" };
    if (command !== "netrc") return { kind: "goauth", command };
    const found = fromNetrc(authority, netrc, settings.version);
    if (found.kind !== "none") return found;
  }
  return { kind: "none" };
}

function fromNetrc(authority: string, netrc: FileSeen, version: string): Credentials {
  if (netrc.kind !== "text") return { kind: "none" };
  const entries = parseNetrc(netrc.text);
  const host = authority.replace(/:\d*$/, "");
  // Up to 1.23 a machine is a host name; from 1.24 on it is the beginning of a URL, so that the port belongs to it.
  const wanted = knows(version, "auth") ? authority : host;
  const exact = named(entries, wanted);
  if (exact !== undefined) return { kind: "netrc", machine: exact.machine, login: exact.login };
  const near = findNetrc(entries, host, authority === host ? "" : authority.slice(host.length + 1));
  return near === undefined ? { kind: "none" } : { kind: "netrc-port", machine: near.machine, wanted };
}

function named(entries: readonly NetrcEntry[], name: string): NetrcEntry | undefined {
  return entries.find(({ machine }) => machine === name);
}
