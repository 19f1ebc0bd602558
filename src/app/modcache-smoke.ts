// `granary verify --smoke`: one real `go mod download` with this machine's settings and an empty cache, timed.

import type { SmokeView } from "#doors/cli/modcache-services.ts";
import { DiskModuleCache } from "#adapters/system/module-cache.ts";
import { cacheFindings } from "#services/findings/cache.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { parseDownloads, parseTrace } from "#services/modcache/download.ts";
import type { TracedRequest } from "#services/modcache/download.ts";
import { measureFolder } from "#services/modcache/sizes.ts";
import { withDownload } from "./modcache-go.ts";
import type { Download } from "./modcache-go.ts";
import type { ModcachePlace } from "./modcache-place.ts";

export type SmokeUse = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly place: ModcachePlace;
};

/** Some 15 small requests: more than this is a chain that waits for somebody. */
const slowMs = 15_000;
/** Of a trace, what is shown of an address. */
const maxReasonChars = 200;

export async function smoke(what: string, { env, timeoutMs, signal, place }: SmokeUse): Promise<SmokeView> {
  return await withDownload(
    { command: "granary verify --smoke", versions: [what], env, timeoutMs, signal },
    async (download) => {
      const { end, root } = download;
      const requests = parseTrace(end.stderr);
      const cache = new DiskModuleCache(root, () => Promise.reject(new Error("nothing is hashed here")));
      const { bytes } = await measureFolder(cache, "cache/download");
      return {
        what,
        proxy: withoutCredentials(place.settings.GOPROXY),
        sumdb: withoutCredentials(place.settings.GOSUMDB),
        ms: end.ms,
        bytes,
        requests,
        findings: verdict(what, download, { requests, timeoutMs }),
      };
    },
  );
}

function verdict(
  what: string,
  { end }: Download,
  { requests, timeoutMs }: { readonly requests: readonly TracedRequest[]; readonly timeoutMs: number },
): readonly Finding[] {
  const slowest = requests.toSorted((a, b) => (b.ms ?? Infinity) - (a.ms ?? Infinity)).slice(0, 3);
  const evidence = slowest.map(({ url, answer, ms }) => ({
    kind: "seen" as const,
    text: `GET ${url} → ${answer === "" ? "…" : answer}${ms === undefined ? "" : ` (${ms} ms)`}`,
  }));
  const failed = (reason: string): readonly Finding[] => [
    found(
      cacheFindings,
      "CACHE_DOWNLOAD_FAILED",
      { what, reason: reason.replace(`${what}: `, "").slice(0, maxReasonChars) },
      { evidence },
    ),
  ];
  if (end.kind === "stopped") return failed(end.because === "timeout" ? `> ${timeoutMs / 1000} s` : end.because);
  const error = parseDownloads(end.stdout).find((download) => download.error !== undefined)?.error;
  if (error !== undefined || end.code !== 0) return failed(firstLine(error ?? end.stderr));
  if (end.ms < slowMs) return [];
  return [found(cacheFindings, "CACHE_DOWNLOAD_SLOW", { what, seconds: Math.round(end.ms / 1000) }, { evidence })];
}

function firstLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("# "));
  return withoutCredentials(lines[0] ?? "");
}
