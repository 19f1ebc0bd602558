// The requests of a simulation as commands for other clients, to be pasted where this program is not.

import { formatTarget } from "#protocol/request.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { quoteFor } from "#services/findings/shell.ts";
import type { Shell } from "#services/findings/shell.ts";
import { decide } from "#services/sumdb/go-decision.ts";
import type { GoSettings } from "#services/sumdb/go-decision.ts";
import { urlBelow } from "./http-chain.ts";
import { userAgentOf } from "./http-go.ts";

export type Emitter = "curl" | "wget";

export type EmitUse = {
  readonly entries: readonly ProxyEntry[];
  readonly settings: GoSettings;
  readonly go: string;
  readonly via: string | undefined;
  readonly shell: Shell;
};

/** One command per request to the first proxy of the list, in go's order; none when the list has no proxy. */
export function emitCommands(tool: Emitter, id: ModuleVersion, use: EmitUse): readonly string[] {
  const first = use.entries.find((entry) => entry.kind === "url");
  if (first === undefined) return [];
  const at = { ...id, cachedOnly: false } as const;
  const targets = [
    formatTarget({ kind: "list", ...at }),
    formatTarget({ kind: "info", ...at, query: id.version }),
    formatTarget({ kind: "mod", ...at }),
    ...databaseTargets(id, use),
    formatTarget({ kind: "zip", ...at }),
  ];
  const urls = targets.map((target) => withoutCredentials(urlBelow(first.url, target)));
  return urls.map((url) => (tool === "curl" ? curl(url, use) : wget(url, use)));
}

function databaseTargets(id: ModuleVersion, { settings }: EmitUse): readonly string[] {
  const { outcome } = decide(settings, id.path);
  if (outcome.kind !== "verified" || outcome.ways[0]?.via !== "proxy") return [];
  const shared = { kind: "sumdb", cachedOnly: false, name: outcome.database } as const;
  return [
    formatTarget({ ...shared, endpoint: { kind: "supported" } }),
    formatTarget({ ...shared, endpoint: { kind: "lookup", ...id } }),
  ];
}

/** -L and --max-redirs as go follows, the name go has, the phases that `granary simulate` shows. */
function curl(url: string, { go, via, shell }: EmitUse): string {
  const agent = userAgentOf(go).h2;
  const write =
    "%{http_code} dns %{time_namelookup} tls %{time_appconnect} ttfb %{time_starttransfer} %{url_effective}\\n";
  const words = ["curl", "-sS", "-L", "--max-redirs", "9", "--compressed", "-A", agent, "-H", "Accept:"];
  const proxy = via === undefined ? [] : ["-x", withoutCredentials(via)];
  return join([...words, ...proxy, "-o", shell === "cmd" ? "NUL" : "/dev/null", "-w", write, url], shell);
}

/** wget speaks HTTP/1.1 only, so go's name is that of HTTP/1.1. */
function wget(url: string, { go, via, shell }: EmitUse): string {
  const agent = userAgentOf(go)["http/1.1"];
  const words = ["wget", "-S", "--max-redirect=9", "-U", agent, "--header=Accept-Encoding: gzip"];
  const proxy = via === undefined ? [] : ["-e", `use_proxy=yes`, "-e", `https_proxy=${withoutCredentials(via)}`];
  return join([...words, ...proxy, "-O", shell === "cmd" ? "NUL" : "/dev/null", url], shell);
}

function join(words: readonly string[], shell: Shell): string {
  return words.map((word) => quoteFor(shell, word)).join(" ");
}
