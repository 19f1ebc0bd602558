// One module version fetched as `go mod download` fetches it: list, .info, go.mod, the checksum database, the zip, each
// along the whole GOPROXY list by go's rules. Nothing is kept. Source: protocol reference §2.4, §2.6, §5.6.

import { equalHash, hashGoMod } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxInfoBytes, maxListBytes, parseInfo } from "#protocol/info.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { Sums } from "#protocol/record.ts";
import { formatTarget } from "#protocol/request.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { found } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import type { GoSettings } from "#services/sumdb/go-decision.ts";
import { bodyOf, walkEntries } from "./http-chain.ts";
import type { Walk } from "./http-chain.ts";
import { lookFurther } from "./http-extra.ts";
import { fetchAsGo } from "./http-fetch.ts";
import type { Fetch } from "./http-fetch.ts";
import { userAgentOf } from "./http-go.ts";
import { judgeSimulation } from "./http-judge.ts";
import type { HttpAsk, HttpProber, RecordProver } from "./http-ports.ts";
import { notAsRecorded, stepNames, unverified } from "./http-simulation.ts";
import type { Database, Facts, Hashed, Simulation, Step, StepName, Tiles } from "./http-simulation.ts";
import { askDatabase } from "./http-sumdb.ts";

export type SimulateUse = {
  readonly prober: HttpProber;
  readonly prover: RecordProver;
  /** As `go env` has them. */
  readonly settings: GoSettings & { readonly GONOPROXY: string };
  /** The go command's version, `1.26.8`. */
  readonly go: string;
  /** Our own version, for requests that go would not make. */
  readonly version: string;
  readonly authorizationFor?: (url: URL) => string | undefined;
  readonly signal: AbortSignal;
  /** For a step's request and for the zip's. */
  readonly stepMs?: number;
  readonly zipMs?: number;
  /** Told of each step when it is done. */
  readonly onStep?: (step: Step) => void;
};

/** go waits for ever; nobody wants to watch that. */
export const defaultStepMs = 20_000;
/** 256 MiB at some 2 MB/s. */
export const defaultZipMs = 120_000;
/** Held in memory whole, as the zip's directory is at its end. Nearly all modules are far below it. */
export const maxSimulatedZipBytes = 256 * 1024 * 1024;

/** Throws ProtocolError BAD_PROXY_LIST with go's sentence, or the signal's reason. */
export async function simulate(id: ModuleVersion, use: SimulateUse): Promise<Simulation> {
  const { settings, go } = use;
  const patterns = settings.GONOPROXY === "" ? settings.GOPRIVATE : settings.GONOPROXY;
  const entries = parseProxyList(settings.GOPROXY);
  if (matchPrefixPatterns(patterns, id.path)) return privateSimulation({ id, entries, go, patterns });
  const facts = await new Run(id, entries, use).run();
  const findings = judgeSimulation(facts);
  return { ...facts, go, findings, outcome: outcomeOfAll(facts) };
}

/** Whether go would get this version: a list that is wrong is a finding, and no reason for go to fail here. */
function outcomeOfAll({ steps, mod, zip, zipProblem }: Facts): Simulation["outcome"] {
  const hasZip = steps.find(({ name }) => name === "zip")?.walk.end === "ok" && zipProblem === undefined;
  if (!hasZip || mod?.verdict === "differs" || zip?.verdict === "differs") return "failed";
  return mod?.verdict === "recorded" && zip?.verdict === "recorded" ? "proven" : "unproven";
}

const nothingMore = { letsOthersIn: new Map<string, boolean>(), knownVersion: "" };
const noTiles: Tiles = { count: 0, bytes: 0, ms: 0 };

function privateSimulation(what: {
  readonly id: ModuleVersion;
  readonly entries: readonly ProxyEntry[];
  readonly go: string;
  readonly patterns: string;
}): Simulation {
  const { id, entries, go, patterns } = what;
  const none = { database: undefined, mod: undefined, zip: undefined, zipProblem: undefined } as const;
  const findings = [found(httpFindings, "CHAIN_SEEN_PRIVATE", { what: id.path, patterns })];
  return { id, entries, go, steps: [], tiles: noTiles, extra: nothingMore, outcome: "private", findings, ...none };
}

/** One simulated download, step by step. */
class Run {
  readonly #id: ModuleVersion;
  readonly #entries: readonly ProxyEntry[];
  readonly #use: SimulateUse;
  readonly #steps: Step[] = [];
  #database: Database | undefined;
  #tiles = noTiles;
  #zipProblem: string | undefined;
  #proof: Promise<{ readonly goesOn: boolean; readonly sums?: Sums }> | undefined;

  constructor(id: ModuleVersion, entries: readonly ProxyEntry[], use: SimulateUse) {
    this.#id = id;
    this.#entries = entries;
    this.#use = use;
  }

  async run(): Promise<Facts> {
    const hashes = await this.#download();
    const { stepMs = defaultStepMs } = this.#use;
    return {
      id: this.#id,
      entries: this.#entries,
      steps: this.#steps.toSorted((a, b) => stepNames.indexOf(a.name) - stepNames.indexOf(b.name)),
      database: this.#database,
      tiles: this.#tiles,
      mod: hashes.mod,
      zip: hashes.zip,
      zipProblem: this.#zipProblem,
      extra: await lookFurther(this.#steps, {
        id: this.#id,
        entries: this.#entries,
        fetch: (url, maxBytes, userAgent) => this.#fetch(url, { maxBytes, timeoutMs: stepMs }, userAgent),
        version: this.#use.version,
      }),
    };
  }

  /** Stops where go stops. */
  async #download(): Promise<{ readonly mod: Hashed | undefined; readonly zip: Hashed | undefined }> {
    const id = { ...this.#id, cachedOnly: false } as const;
    await this.#walk("list", { kind: "list", ...id }, maxListBytes);
    const info = await this.#walk("info", { kind: "info", ...id, query: id.version }, maxInfoBytes);
    if (info.end !== "ok") return { mod: undefined, zip: undefined };
    const mod = this.#hashMod(await this.#walk("mod", { kind: "mod", ...id }, maxGoModBytes));
    if (mod === undefined || mod.verdict === "differs" || !(await this.#proofOf()).goesOn)
      return { mod, zip: undefined };
    const zip = bodyOf(await this.#walk("zip", { kind: "zip", ...id }, maxSimulatedZipBytes));
    const { sums } = await this.#proofOf();
    return { mod, zip: zip === undefined ? undefined : this.#hashZip(zip, sums?.zip) };
  }

  /** Of the last one that came, the right one or not. */
  #hashMod({ tries }: Walk): Hashed | undefined {
    const end = tries.at(-1)?.fetch.end;
    if (end?.kind !== "answer" || end.status !== 200) return undefined;
    const proof = this.#database?.kind === "asked" ? this.#database.proof : undefined;
    return hashed(hashGoMod(end.exchange.body), proof?.kind === "proven" ? proof.sums.mod : undefined);
  }

  #hashZip(bytes: Uint8Array, recorded: string | undefined): Hashed | undefined {
    const report = checkModuleZip(bytesSource(bytes), this.#id);
    if (report.valid) return hashed(report.h1, recorded);
    const [first] = report.problems;
    this.#zipProblem = first === undefined ? "malformed" : `${first.name} ${first.reason}`.trim();
    return undefined;
  }

  async #walk(name: StepName, target: ModuleTarget, maxBytes: number): Promise<Walk> {
    const { stepMs = defaultStepMs, zipMs = defaultZipMs } = this.#use;
    const timeoutMs = name === "zip" ? zipMs : stepMs;
    const walk = await walkEntries(formatTarget(target), {
      entries: this.#entries,
      fetch: (url) => this.#fetch(url, { maxBytes, timeoutMs }),
      ...(name === "info" && { check: (body: Uint8Array) => Promise.resolve(this.#infoProblem(body)) }),
      ...(name === "mod" && { check: (body: Uint8Array) => this.#modProblem(body) }),
    });
    this.#done({ name, walk });
    return walk;
  }

  #done(step: Step): void {
    this.#steps.push(step);
    this.#use.onStep?.(step);
  }

  #infoProblem(body: Uint8Array): string | undefined {
    try {
      parseInfo(body, this.#id.version);
      return undefined;
    } catch (error) {
      if (error instanceof ProtocolError) return error.message;
      throw error;
    }
  }

  /** go verifies a go.mod before it leaves the list, a zip after. */
  async #modProblem(body: Uint8Array): Promise<string | undefined> {
    const { goesOn, sums } = await this.#proofOf();
    if (!goesOn) return unverified;
    return sums?.mod === undefined || equalHash(hashGoMod(body), sums.mod) ? undefined : notAsRecorded;
  }

  async #fetch(
    url: string,
    limits: Pick<HttpAsk, "maxBytes" | "timeoutMs">,
    userAgent: HttpAsk["userAgent"] = userAgentOf(this.#use.go),
  ): Promise<Fetch> {
    const { prober, authorizationFor, signal } = this.#use;
    return await fetchAsGo(url, { prober, authorizationFor, signal, userAgent, route: "usual", ...limits });
  }

  /** The version's proven hashes, where somebody vouches; whether go goes on. */
  #proofOf(): Promise<{ readonly goesOn: boolean; readonly sums?: Sums }> {
    this.#proof ??= this.#lookUp();
    return this.#proof;
  }

  async #lookUp(): Promise<{ readonly goesOn: boolean; readonly sums?: Sums }> {
    const { settings, prover, signal, stepMs = defaultStepMs } = this.#use;
    const { database, tiles } = await askDatabase(this.#id, {
      settings,
      prover,
      signal,
      fetch: (url, maxBytes) => this.#fetch(url, { maxBytes, timeoutMs: stepMs }),
      onStep: (step) => this.#done(step),
    });
    this.#database = database;
    this.#tiles = tiles;
    if (database.kind !== "asked") return { goesOn: database.kind === "unasked" };
    const { proof } = database;
    return proof.kind === "proven" ? { goesOn: true, sums: proof.sums } : { goesOn: false };
  }
}

function hashed(h1: string, recorded: string | undefined): Hashed {
  if (recorded === undefined) return { h1, verdict: "unknown" };
  return { h1, verdict: equalHash(h1, recorded) ? "recorded" : "differs" };
}
