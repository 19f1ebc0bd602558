// A foreign directory in the place of upstreams: the jobs that fetch, verify and keep ask it like anybody else, and
// believe it as little. It is asked once: a file says the same however often it is read.

import { ProtocolError } from "#protocol/errors.ts";
import { legacyGoMod, maxGoModBytes } from "#protocol/gomod.ts";
import { formatInfo } from "#protocol/info.ts";
import { isPseudoVersion, pseudoVersionTime } from "#protocol/pseudo.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { SourceFile, SourceTree } from "#services/store/ports.ts";
import type { SourceVersion } from "#services/store/source-versions.ts";
import { readWhole } from "#services/upstreams/attempt.ts";
import { upstreamInName } from "#services/upstreams/chain.ts";
import type { Upstream } from "#services/upstreams/chain.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import type { Accept, Ask, Found, Origin } from "./origin.ts";
import { failed } from "./origin.ts";
import type { Verifier } from "./ports.ts";

export class SourceOrigin implements Pick<Origin, "find" | "wouldAsk"> {
  readonly #tree: SourceTree;
  readonly #verifier: Verifier;
  readonly #upstream: Upstream;
  /** What is being imported now, by `path@version`. */
  readonly #versions = new Map<string, SourceVersion>();

  /** @param use.url of the directory, file://…: manifests name it as the origin */
  constructor(use: { readonly tree: SourceTree; readonly verifier: Verifier; readonly url: string }) {
    this.#tree = use.tree;
    this.#verifier = use.verifier;
    this.#upstream = upstreamInName(use.url, use.url);
  }

  /** Gives the files of `version` while `work` runs. */
  async offering<T>(version: SourceVersion, work: () => Promise<T>): Promise<T> {
    const what = formatModuleVersion(version.id);
    this.#versions.set(what, version);
    try {
      return await work();
    } finally {
      this.#versions.delete(what);
    }
  }

  wouldAsk(id: ModuleVersion): boolean {
    return this.#versions.has(formatModuleVersion(id));
  }

  /** Throws GranaryError, SourceUnreadable, and what `accept` throws. */
  async find<T>(ask: Ask, signal: AbortSignal, accept: Accept<T>): Promise<Found<T>> {
    const version = this.#versions.get(ask.what);
    if (version === undefined) throw new Error(`${ask.what} is not being imported`); // the jobs ask for what they were told to fetch
    const upstream = this.#upstream;
    try {
      const companion = ask.kind === "info" ? this.#goMod(version, signal) : Promise.resolve(new Uint8Array());
      companion.catch(() => undefined); // awaited by `accept`, if it gets so far
      const response = await this.#response(ask, version);
      return { value: await accept(response, upstream, { signal, companion }), upstream };
    } catch (error) {
      if (!(error instanceof Unusable || error instanceof UpstreamFault)) throw error;
      throw failed(ask, { reasons: [{ upstream: upstream.name, error }], waitedMs: 0, waitMs: undefined });
    }
  }

  async #response(ask: Ask, { id, files }: SourceVersion): Promise<UpstreamResponse> {
    const path = ask.kind === "info" ? files.info : files.zip;
    if (path === undefined && ask.kind === "info") return this.#made(madeInfo(id), ask);
    return await this.#file(path ?? "", ask.maxBytes);
  }

  async #file(path: string, maxBytes: number): Promise<UpstreamResponse> {
    const { name, url } = this.#upstream;
    const file = await this.#tree.read(path);
    if (file === undefined) throw new UpstreamFault(name, "malformed", `${path} is gone`);
    if (file.size > maxBytes) {
      await file.close();
      throw new UpstreamFault(name, "too-large", `more than ${maxBytes} bytes`);
    }
    return {
      status: 200,
      headers: { "content-length": String(file.size) },
      url: `${url}/${encodeURI(path)}`,
      body: exactly(file, name),
      cancel: () => void file.close(),
    };
  }

  #made(bytes: Uint8Array, { path }: Ask): UpstreamResponse {
    const body = (async function* () {
      yield await Promise.resolve(bytes);
    })();
    return { status: 200, headers: {}, url: this.#upstream.url + path, body, cancel: () => undefined };
  }

  /** The go.mod file; without one, the one in the zip. */
  async #goMod({ id, files }: SourceVersion, signal: AbortSignal): Promise<Uint8Array> {
    if (files.mod !== undefined) return await readWhole((await this.#file(files.mod, maxGoModBytes)).body);
    const { report, goMod } = await this.#verifier.check(this.#tree.locate(files.zip ?? ""), id, signal);
    const [problem] = report.problems;
    if (!report.valid) throw new Unusable("BAD_MODULE", `zip: ${problem?.name ?? ""}: ${problem?.reason ?? "invalid"}`);
    return goMod ?? new TextEncoder().encode(legacyGoMod(id.path));
  }
}

/**
 * What `.info` says at least. A go command's cache often lacks the file, as builds do not need it; nothing proves an
 * `.info` anyway. A pseudo-version tells its commit's time, other versions then have none.
 */
export function madeInfo({ version }: ModuleVersion): Uint8Array {
  const time = isPseudoVersion(version) ? timeOf(version) : undefined;
  return formatInfo({ version, ...(time !== undefined && { time }) });
}

function timeOf(version: string): string | undefined {
  try {
    return pseudoVersionTime(version).toISOString().replace(".000Z", "Z");
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Somebody may be writing the file: no byte more than its size is read. */
async function* exactly({ size, bytes }: SourceFile, name: string): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const piece of bytes) {
    yield piece.subarray(0, left);
    left -= Math.min(left, piece.length);
    if (left === 0) return;
  }
  if (left > 0) throw new UpstreamFault(name, "truncated", `${size - left} of ${size} bytes`);
}
