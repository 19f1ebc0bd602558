// One version asked of several mirrors at once: do they give the same, and is it what the checksum database recorded?

import { hashGoMod } from "#protocol/dirhash.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxInfoBytes } from "#protocol/info.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { formatTarget } from "#protocol/request.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { urlBelow } from "#services/analysers/http-chain.ts";
import { fetchAsGo } from "#services/analysers/http-fetch.ts";
import type { Fetch } from "#services/analysers/http-fetch.ts";
import { ownUserAgent } from "#services/analysers/http-go.ts";
import { lastExchange } from "#services/analysers/http-outcome.ts";
import type { HttpProber, Proof, RecordProver } from "#services/analysers/http-ports.ts";
import type { SimulateUse } from "#services/analysers/http-simulate.ts";
import { askDatabase } from "#services/analysers/http-sumdb.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import type { CheckedMirror, MirrorFile } from "./checked.ts";
import { judgeCrosscheck } from "./judge.ts";
import { compareMirrors } from "./rules.ts";
import type { RuleResult } from "./rules.ts";

export type Crosscheck = {
  readonly id: ModuleVersion;
  readonly mirrors: readonly CheckedMirror[];
  /** Undefined when the settings keep go from asking, or nobody let us through. */
  readonly proof: Proof | undefined;
  readonly database: string;
  readonly rules: readonly RuleResult[];
  /**
   * `healthy`: every file that came is what the database recorded. `suspected`: some are not, or differ from one another.
   * `undecided`: too little came, or nobody vouches. `private`: nobody was asked.
   */
  readonly verdict: "healthy" | "suspected" | "undecided" | "private";
  readonly findings: readonly Finding[];
};

export type CrosscheckUse = {
  readonly prober: HttpProber;
  readonly prover: RecordProver;
  readonly settings: SimulateUse["settings"];
  readonly version: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
};

/** Of one mirror; a comparison is no reason to fetch more. Longer ones are compared by length alone. */
export const maxComparedZipBytes = 32 * 1024 * 1024;
const defaultTimeoutMs = 60_000;

/** @param mirrors at least two. Throws the signal's reason. */
export async function crosscheck(
  id: ModuleVersion,
  mirrors: readonly { readonly name: string; readonly url: string }[],
  use: CrosscheckUse,
): Promise<Crosscheck> {
  const { settings } = use;
  const patterns = settings.GONOPROXY === "" ? settings.GOPRIVATE : settings.GONOPROXY;
  const none = { id, mirrors: [], proof: undefined, database: "", rules: [] } as const;
  if (matchPrefixPatterns(patterns, id.path)) {
    const findings = [found(httpFindings, "CHAIN_SEEN_PRIVATE", { what: id.path, patterns })];
    return { ...none, verdict: "private", findings };
  }
  const [checked, asked] = await Promise.all([
    Promise.all(mirrors.map((mirror) => checkMirror(id, mirror, use))),
    askDatabase(id, {
      // Any of them may relay the database, and after the last one it is asked itself.
      settings: { ...settings, GOPROXY: mirrors.map(({ url }) => url).join("|") },
      prover: use.prover,
      signal: use.signal,
      fetch: (url, maxBytes) => fetchFrom(url, { ...use, maxBytes }),
      onStep: () => undefined,
    }),
  ]);
  const { database } = asked;
  const proof = database.kind === "asked" ? database.proof : undefined;
  const facts = { id, mirrors: checked, proof, database: database.kind === "asked" ? database.name : "" };
  const rules = compareMirrors(checked, proof);
  return { ...facts, rules, verdict: verdictOf(rules, checked, proof), findings: judgeCrosscheck({ ...facts, rules }) };
}

type FetchUse = CrosscheckUse & { readonly maxBytes: number };

async function fetchFrom(
  url: string,
  { prober, version, signal, timeoutMs = defaultTimeoutMs, maxBytes }: FetchUse,
): Promise<Fetch> {
  const userAgent = ownUserAgent(version);
  return await fetchAsGo(url, { prober, signal, timeoutMs, maxBytes, userAgent, route: "usual" });
}

async function checkMirror(
  id: ModuleVersion,
  { name, url }: { readonly name: string; readonly url: string },
  use: CrosscheckUse,
): Promise<CheckedMirror> {
  const at = { ...id, cachedOnly: false } as const;
  const ask = async (target: string, maxBytes: number): Promise<Fetch> =>
    await fetchFrom(urlBelow(url, target), { ...use, maxBytes });
  const infoFetch = await ask(formatTarget({ kind: "info", ...at, query: id.version }), maxInfoBytes);
  const info = fileOf(infoFetch);
  // Who asks to be left alone is asked nothing more.
  if (isBusy(infoFetch)) return { name, url, files: { info, mod: info, zip: info } };
  const modFetch = await ask(formatTarget({ kind: "mod", ...at }), maxGoModBytes);
  const mod = fileOf(modFetch, hashGoMod);
  if (isBusy(modFetch)) return { name, url, files: { info, mod, zip: mod } };
  const zipFetch = await ask(formatTarget({ kind: "zip", ...at }), maxComparedZipBytes);
  const zip = fileOf(zipFetch, (bytes) => hashZip(bytes, id));
  return { name, url, files: { info, mod, zip } };
}

function isBusy({ end }: Fetch): boolean {
  return end.kind === "answer" && (end.status === 429 || end.status === 503);
}

function hashZip(bytes: Uint8Array, id: ModuleVersion): string {
  const report = checkModuleZip(bytesSource(bytes), id);
  return report.valid ? report.h1 : "invalid";
}

function fileOf(fetch: Fetch, hash?: (bytes: Uint8Array) => string): MirrorFile {
  const { end } = fetch;
  const last = lastExchange(fetch);
  const headers = last?.headers ?? {};
  const modified = Date.parse(headers["last-modified"] ?? "");
  const isWhole = end.kind === "answer" && end.status === 200;
  const promised = Number(headers["content-length"] ?? Number.NaN);
  const failure = end.kind === "fault" ? end.fault.kind : end.kind === "refused" ? end.why : undefined;
  return {
    status: last?.status,
    failure: failure === "too-large" ? undefined : failure,
    bytes: isWhole || !Number.isSafeInteger(promised) ? (last?.body.length ?? 0) : promised,
    ms: fetch.exchanges.reduce((sum, { phases }) => sum + phases.totalMs, 0),
    etag: headers["etag"],
    lastModifiedMs: Number.isNaN(modified) ? undefined : modified,
    h1: isWhole && last !== undefined ? hash?.(last.body) : undefined,
  };
}

function verdictOf(
  rules: readonly RuleResult[],
  mirrors: readonly CheckedMirror[],
  proof: Proof | undefined,
): Crosscheck["verdict"] {
  if (rules.some(({ rule, verdict }) => rule === "content" && verdict === "fail")) return "suspected";
  if (proof?.kind !== "proven") return "undecided";
  const came = mirrors.filter(({ files }) => files.mod.h1 !== undefined && files.zip.h1 !== undefined);
  return came.length === mirrors.length ? "healthy" : "undecided";
}
