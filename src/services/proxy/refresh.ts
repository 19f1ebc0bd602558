// An operator says: look again. What upstreams said is forgotten and asked anew; what is kept stays, whatever they say
// now, and an event tells when they give something else.

import { hashGoMod } from "#protocol/dirhash.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { parseList } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import { formatTarget } from "#protocol/request.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { KeptMod, ModuleStore } from "#services/store/module-store.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import type { BytesAnswer } from "./answer.ts";
import { readBody } from "./body.ts";
import type { Listings } from "./listings.ts";
import type { Origin } from "./origin.ts";
import type { AskOptions, Proxy } from "./proxy.ts";

export type RefreshUse = {
  readonly proxy: Pick<Proxy, "answer">;
  readonly listings: Pick<Listings, "get">;
  readonly store: Pick<ModuleStore, "findMod">;
  readonly origin: Pick<Origin, "find" | "mayAsk">;
  readonly events: EventSink;
  /** Resolves when no process answers about the module from memory any more. */
  readonly forget: (path: string) => Promise<void>;
  /** Has the rest of a version fetched behind the answer. */
  readonly announce: (id: ModuleVersion) => void;
};

type InfoTarget = Extract<ModuleTarget, { readonly kind: "info" }>;

export class Refresh {
  readonly #use: RefreshUse;

  constructor(use: RefreshUse) {
    this.#use = use;
  }

  /** What exists now: asked of upstreams, with what is kept. Throws GranaryError. */
  async list(path: ModulePath, options: Pick<AskOptions, "hops" | "signal">): Promise<readonly string[]> {
    await this.#use.forget(path);
    return parseList((await this.#use.listings.get("list", path, { query: "", ...options })).bytes);
  }

  /**
   * `.info` of a version, branch or commit, asked of upstreams. A version that is kept is answered with the bytes that are
   * kept, after upstreams were asked for its go.mod: when they fail, or have it no more, that is the answer. Throws
   * GranaryError.
   */
  async info(target: InfoTarget, options: Pick<AskOptions, "hops" | "caller" | "signal">): Promise<BytesAnswer> {
    const { proxy, store, origin, forget, announce } = this.#use;
    await forget(target.path);
    const { path, version } = target;
    if (version !== undefined) {
      const kept = await store.findMod({ path, version }).catch(undefinedWhenDamaged);
      if (kept !== undefined && origin.mayAsk(path)) await this.#compare(kept, options);
    }
    const answer = await proxy.answer(target, { ...options, keptOnly: false });
    if (version !== undefined) announce({ path, version });
    if (answer.kind !== "bytes") throw new Error(`${formatTarget(target)} was answered with a zip`);
    return answer;
  }

  /** Asks for the go.mod of a kept version and tells whether it is the one that is kept. */
  async #compare({ id, manifest }: KeptMod, { hops, signal }: Pick<AskOptions, "hops" | "signal">): Promise<void> {
    const what = formatModuleVersion(id);
    const path = formatTarget({ kind: "mod", cachedOnly: false, path: id.path, version: id.version });
    const ask = { kind: "mod", module: id.path, what, path, maxBytes: maxGoModBytes, hops, existed: true } as const;
    const found = await this.#use.origin.find(ask, signal, async (response) => hashGoMod(await readBody(response)));
    const expected = manifest.mod.h1;
    this.#use.events.emit({
      name: "upstream.compared",
      upstream: found.upstream.name,
      module: id.path,
      version: id.version,
      stage: "mod",
      same: found.value === expected,
      expected,
      found: found.value,
    });
  }
}

/** Damage is mended by whoever asks next: that is us. */
function undefinedWhenDamaged(error: unknown): undefined {
  if (!(error instanceof StoreDamaged)) throw error;
}
