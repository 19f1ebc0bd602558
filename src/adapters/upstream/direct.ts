// `direct`: modules built from their repositories by this machine's go command, behind the port of all upstreams. A
// GOPROXY request becomes `go list -m` or `go mod download` in a sandbox; the three files of a version come from one
// download, which is kept for a while, so that they are one snapshot. What it yields is verified like anybody's answer.

import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ProtocolError } from "#protocol/errors.ts";
import { parseTarget } from "#protocol/request.ts";
import type { ModuleTarget, Target } from "#protocol/request.ts";
import type { UpstreamClient, UpstreamEndpoint, UpstreamRequest, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { folderBytes, runChild } from "./direct-child.ts";
import type { ChildLimits, Stopped } from "./direct-child.ts";
import { makeDirectDial } from "./direct-dial.ts";
import type { DirectDialUse } from "./direct-dial.ts";
import { DirectFilter } from "./direct-filter.ts";
import type { Pass } from "./direct-filter.ts";
import { PlaceCredentials } from "./direct-goauth.ts";
import type { RunGoAuth } from "./direct-goauth.ts";
import { KeptDownloads } from "./direct-kept.ts";
import type { Download } from "./direct-kept.ts";
import { keepDownloads, makeSandbox, removeLeftovers } from "./direct-sandbox.ts";
import type { Sandbox } from "./direct-sandbox.ts";
import { Shared } from "./direct-shared.ts";
import { fitToShow, missingProgram, statesAbsence } from "./direct-texts.ts";
import { FileUpstreamClient } from "./file.ts";

export type DirectOptions = Omit<DirectDialUse, "signal"> & {
  readonly goauth: RunGoAuth;
  readonly limits: ChildLimits;
  /** Children at a time. */
  readonly jobs: number;
  /** How long a download is kept, in milliseconds, and how much all of them may hold. */
  readonly keepMs: number;
  readonly keepBytes: number;
  /** Where folders are made; "" for the system's temporary one. */
  readonly folder: string;
  /** This process's environment: PATH is taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** The go command stated that there is no such thing. Its text may be shown. */
class Absent extends Error {}

export class DirectUpstreamClient implements UpstreamClient {
  readonly #options: DirectOptions;
  readonly #root: string;
  readonly #stop = new AbortController();
  readonly #credentials: PlaceCredentials;
  readonly #filter: DirectFilter;
  readonly #shared: Shared;
  readonly #kept: KeptDownloads;
  readonly #files = new FileUpstreamClient();
  #cleaned: Promise<void> | undefined;

  constructor(options: DirectOptions) {
    const { places, folder, jobs } = options;
    this.#options = options;
    this.#root = folder === "" ? tmpdir() : folder;
    const dial = makeDirectDial({ ...options, signal: this.#stop.signal });
    this.#credentials = new PlaceCredentials(options);
    this.#filter = new DirectFilter({ places, dial, credentials: this.#credentials });
    this.#shared = new Shared(jobs);
    this.#kept = new KeptDownloads(options);
  }

  async get(endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    if (request.method === "HEAD") return await this.#probe(request.signal);
    const target = targetOf(request.path);
    if (target === undefined) return answer(404, "not a module's file");
    try {
      return await this.#answer(target, endpoint, request);
    } catch (error) {
      if (error instanceof Absent) return answer(404, error.message);
      if (error instanceof UpstreamFault) throw error;
      if (request.signal.aborted || this.#stop.signal.aborted)
        throw new UpstreamFault("direct", "aborted", "the request was given up", { cause: error });
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the server stops"));
    await Promise.all([this.#filter.close(), this.#kept.close()]);
  }

  async #answer(target: ModuleTarget, endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    checkHost(target.path);
    const version = "version" in target ? target.version : undefined;
    if (version !== undefined) {
      const { root } = await this.#download(`${target.path}@${version}`, request.signal);
      const response = await this.#files.get({ ...endpoint, url: pathToFileURL(root).href }, request);
      if (response.status !== 404) return response;
      throw new UpstreamFault("direct", "reset", "the download was cleared away meanwhile");
    }
    if (target.kind === "list") return answer(200, await this.#list(target.path, request.signal));
    const query = target.kind === "info" ? target.query : "latest";
    if (!isRevision(query)) return answer(404, `${query} is no revision`);
    return answer(200, await this.#resolve(`${target.path}@${query}`, request.signal));
  }

  /**
   * The versions that have tags, as a proxy lists them. Retracted ones are among them. That the newest one is no good
   * says nothing against the others.
   */
  async #list(path: string, signal: AbortSignal): Promise<string> {
    return await this.#shared.do(`list ${path}`, signal, async (running) => {
      const args = ["list", "-m", "-e", "-json", "-versions", "-retracted", `${path}@latest`];
      const module = await this.#ask(args, running, (said) => versionsIn(said).length > 0);
      return versionsIn(module)
        .map((version) => `${version}\n`)
        .join("");
    });
  }

  /** What a branch, a tag, a hash or `latest` means now: the text of an .info. */
  async #resolve(what: string, signal: AbortSignal): Promise<string> {
    return await this.#shared.do(`resolve ${what}`, signal, async (running) => {
      const { Version, Time, Origin } = await this.#ask(["list", "-m", "-e", "-json", what], running);
      return JSON.stringify({ Version, Time, Origin });
    });
  }

  async #download(what: string, signal: AbortSignal): Promise<Download> {
    return await this.#shared.do(`download ${what}`, signal, async (running) => {
      const kept = this.#kept.get(what);
      if (kept !== undefined) return kept;
      const sandbox = await this.#run(["mod", "download", "-json", what], running, {
        take: ({ sandbox }) => Promise.resolve(sandbox),
      });
      const root = await keepDownloads(sandbox);
      const download = { root, bytes: await folderBytes(root, Infinity), remove: () => sandbox.remove() };
      this.#kept.add(what, download);
      return download;
    });
  }

  /** @param isEnough what go said is an answer, although it says an error as well */
  async #ask(args: readonly string[], signal: AbortSignal, isEnough?: (said: Said) => boolean): Promise<Said> {
    const take = async ({ said, sandbox }: Result): Promise<Said> => {
      await sandbox.remove();
      return said;
    };
    return await this.#run(args, signal, { take, ...(isEnough && { isEnough }) });
  }

  /** Whether there is a go command. */
  async #probe(signal: AbortSignal): Promise<UpstreamResponse> {
    const { limits, env } = this.#options;
    const passed = { PATH: env["PATH"] ?? "", GOTOOLCHAIN: "local", GOENV: "off", HOME: this.#root };
    const where = { cwd: this.#root, folder: join(this.#root, "nothing is written") };
    const end = await runChild("go", ["env", "GOVERSION"], { ...limits, ...where, env: passed, signal });
    if (end.kind === "missing") throw new UpstreamFault("direct", "no-program", "go");
    return answer(200, "");
  }

  /** Runs go once. `take` owns the sandbox of a run that ended well; any other sandbox is gone before this returns. */
  async #run<T>(args: readonly string[], signal: AbortSignal, { take, isEnough = () => false }: Taking<T>): Promise<T> {
    const { limits } = this.#options;
    await (this.#cleaned ??= removeLeftovers(this.#root));
    const own = new AbortController();
    let sandbox: Sandbox | undefined;
    const pass = await this.#filter.admit({
      maxBytes: limits.maxBytes,
      onTooMuch: () => own.abort(),
      onCredentials: async (repo, headers) => await sandbox?.allow(repo, headers),
    });
    try {
      sandbox = await this.#sandbox(pass);
      const bounds = {
        ...limits,
        folder: sandbox.folder,
        signal: AbortSignal.any([signal, own.signal, this.#stop.signal]),
      };
      const end = await runChild("go", args, { ...bounds, cwd: sandbox.work, env: sandbox.env });
      if (end.kind === "missing") throw new UpstreamFault("direct", "no-program", "go");
      if (end.kind === "stopped" && own.signal.aborted) throw this.#stopped("traffic");
      if (end.kind === "stopped") throw this.#stopped(end.because);
      const said = parseSaid(end.stdout);
      const error = end.code === 0 ? errorOf(said) : (errorOf(said) ?? (end.stderr || `go ended with ${end.code}`));
      if (error !== undefined && !isEnough(said ?? {})) throw this.#failure(error, { sandbox, pass });
      return await take({ said: said ?? {}, sandbox });
    } catch (error) {
      await sandbox?.remove();
      throw error;
    } finally {
      pass.end();
    }
  }

  async #sandbox(pass: Pass): Promise<Sandbox> {
    const { places, env } = this.#options;
    try {
      return await makeSandbox({ places, root: this.#root, env }, pass);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      const reason = `no folder for it can be made in direct.folder (${String(error.code)})`;
      throw new UpstreamFault("direct", "repository", reason, { cause: error });
    }
  }

  #stopped(because: Stopped | "traffic"): UpstreamFault {
    const { timeoutMs, maxBytes, maxMemoryBytes } = this.#options.limits;
    if (because === "aborted") return new UpstreamFault("direct", "aborted", "the request was given up");
    const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
    const words = {
      timeout: `it takes longer than direct.timeout (${timeoutMs / 1000} s)`,
      disk: `it takes more room than direct.maxBytes (${mib(maxBytes)})`,
      traffic: `it sends more than direct.maxBytes (${mib(maxBytes)})`,
      memory: `reading it takes more memory than direct.maxMemory (${mib(maxMemoryBytes)})`,
      output: "the go command said more than anybody would read",
    };
    return new UpstreamFault("direct", "repository", words[because]);
  }

  #failure(text: string, { sandbox, pass }: { readonly sandbox: Sandbox; readonly pass: Verdict }): Error {
    const program = missingProgram(text);
    if (program !== undefined) return new UpstreamFault("direct", "no-program", program);
    const secrets = [...this.#options.places.secrets, ...this.#credentials.secrets];
    const show = (words: string): string => fitToShow(words, { folders: [sandbox.folder], secrets });
    const notes = pass.notes.map(show);
    // Where a repository is, go heard from us: it has nothing to add.
    const isUnfound = text.includes("unrecognized import path");
    // What was refused or broke on the way makes whatever go concludes from it a guess.
    if (notes.length > 0)
      return new UpstreamFault("direct", "repository", [...(isUnfound ? [] : [show(text)]), ...notes].join(" · "));
    if (isUnfound && pass.absent !== undefined) return new Absent(show(pass.absent));
    return statesAbsence(text) ? new Absent(show(text)) : new UpstreamFault("direct", "repository", show(text));
  }
}

type Verdict = Pick<Pass, "notes" | "absent">;

/** An object of `go list -json` or `go mod download -json`. */
type Said = Readonly<Record<string, unknown>>;

type Taking<T> = {
  readonly take: (result: Result) => Promise<T>;
  /** What go said is an answer, although it says an error as well; never without it. */
  readonly isEnough?: (said: Said) => boolean;
};

type Result = { readonly said: Said; readonly sandbox: Sandbox };

function parseSaid(stdout: string): Said | undefined {
  try {
    const value: unknown = JSON.parse(stdout);
    return typeof value === "object" && value !== null ? (value as Said) : undefined;
  } catch {
    return undefined;
  }
}

function errorOf(said: Said | undefined): string | undefined {
  if (said === undefined) return "go said nothing that can be read";
  const error = said["Error"];
  if (typeof error === "string") return error;
  const inner = typeof error === "object" && error !== null ? (error as Said)["Err"] : undefined;
  return typeof inner === "string" ? inner : undefined;
}

function versionsIn({ Versions }: Said): readonly string[] {
  return Array.isArray(Versions) ? Versions.filter((version) => typeof version === "string") : [];
}

function targetOf(path: string): ModuleTarget | undefined {
  let target: Target;
  try {
    target = parseTarget(path);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
  switch (target.kind) {
    case "list":
    case "latest":
    case "info":
    case "mod":
    case "zip":
      return target;
    case "build":
    case "sum":
    case "chunks":
    case "sumdb":
    case "tlog":
    case "house":
    case "impossible":
      return undefined;
  }
}

/** Go goes around every proxy to a loopback address (httpproxy.useProxy), ours too; no module lives at an address. */
function checkHost(path: string): void {
  const [host = ""] = path.split("/");
  if (isIP(host) === 0 && !/^localhost(\.|$)/.test(host)) return;
  throw new UpstreamFault("direct", "repository", `${host} is no host that modules are read from`);
}

/** Words of go that mean no revision, and comparisons, are not asked of a repository. */
function isRevision(query: string): boolean {
  return /^[\w.][^\s<>=@:]*$/.test(query) && !["none", "all", "upgrade", "patch"].includes(query);
}

function answer(status: number, text: string): UpstreamResponse {
  const bytes = Buffer.from(text);
  async function* body(): AsyncGenerator<Uint8Array> {
    if (bytes.length > 0) yield await Promise.resolve(bytes);
  }
  const headers = { "content-length": String(bytes.length), "content-type": "text/plain; charset=utf-8" };
  return { status, headers, url: "direct:", body: body(), cancel: () => undefined };
}
