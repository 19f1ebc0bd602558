// netrc files as the go command reads them: `machine NAME login NAME password TEXT`, over as many lines as you like.
// Source: cmd/go/internal/auth/netrc.go, parseNetrc.

import { fields } from "./space.ts";

export type NetrcEntry = { readonly machine: string; readonly login: string; readonly password: string };

/** Longest file that is read; a person's has some lines. */
export const maxNetrcBytes = 1 << 20;

/**
 * The complete entries, in order. `macdef` and its lines up to an empty one are passed over; `default` ends the file, for
 * go sends nobody's credentials to strangers.
 */
export function parseNetrc(text: string): readonly NetrcEntry[] {
  const entries: NetrcEntry[] = [];
  let entry: { machine?: string; login?: string; password?: string } = {};
  let isMacro = false;
  for (const line of text.split("\n")) {
    if (isMacro) {
      isMacro = line.trim() !== "";
      continue;
    }
    const words = fields(line);
    let at = 0;
    for (; at < words.length - 1; at += 2) {
      const [name = "", value = ""] = [words[at], words[at + 1]];
      if (name === "machine") entry = { machine: value };
      else if (name === "default") return entries;
      else if (name === "login" || name === "password") entry[name] = value;
      else if (name === "macdef") isMacro = true;
      const { machine, login, password } = entry;
      if (machine === undefined || login === undefined || password === undefined) continue;
      entries.push({ machine, login, password });
      entry = {};
    }
    if (words[at] === "default") return entries;
  }
  return entries;
}

/** The first entry for a host; with a port, `host:port` comes before `host` (go 1.24 and older differ in which they look for). */
export function findNetrc(entries: readonly NetrcEntry[], host: string, port = ""): NetrcEntry | undefined {
  const named = (name: string): NetrcEntry | undefined => entries.find(({ machine }) => machine === name);
  return (port === "" ? undefined : named(`${host}:${port}`)) ?? named(host);
}
