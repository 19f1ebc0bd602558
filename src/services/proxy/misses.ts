// What a client is told that asks for a public version that is not kept (`onMiss`).
//
//   fetch            nothing: it waits until the version is fetched, proven and kept
//   redirect         where an upstream has it. These bytes are not ours: a header says that nobody here has verified them
//   build-redirect   where to wait for it, at once
//
// Either way the job begins, the ordinary one. When it fails, the next request takes the ordinary way and hears why: a
// redirect must not lead past a refusal. Private names are never told anything but to wait.

import { formatTarget } from "#protocol/request.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import type { Health } from "#services/upstreams/health.ts";
import { LRUCache } from "lru-cache";
import { GateFull } from "./gate.ts";
import type { ModuleJobs } from "./module-jobs.ts";
import type { Manners, Origin } from "./origin.ts";
import type { Privacy } from "./privacy.ts";
import type { AskOptions } from "./proxy.ts";

export type OnMiss = "fetch" | "redirect" | "build-redirect";

/** Where the client is sent instead of an answer: to an upstream's own URL, or to where it waits here. */
export type Elsewhere =
  { readonly at: "upstream"; readonly url: string; readonly upstream: string } | { readonly at: "build" };

/** A version that could not be had takes the ordinary way for so long. */
const failedMs = 60_000;
const maxFailed = 10_000;

export type MissesUse = {
  readonly onMiss: () => OnMiss;
  readonly store: Pick<ModuleStore, "findMod" | "findZip">;
  readonly jobs: Pick<ModuleJobs, "fetchMod" | "fetchZip">;
  readonly origin: Pick<Origin, "mayAsk" | "wouldAsk">;
  readonly privacy: Privacy;
  /** Rewritten modules are nowhere but here under this name. */
  readonly isRewritten: (path: string) => boolean;
  readonly chain: () => Chain;
  readonly order: () => Manners["order"];
  readonly health: Pick<Health, "condition">;
  /** True when whoever knows its URL may ask it as we do: no headers, certificates or authorities of our own. */
  readonly isForEverybody: (upstream: string) => boolean;
  /** Told what could not be had. */
  readonly failed: (stage: "mod" | "zip", id: ModuleVersion, error: unknown) => void;
  readonly clock: Pick<Clock, "now">;
  readonly stop: AbortSignal;
};

export class Misses {
  readonly #use: MissesUse;
  /** Until when, by version. */
  readonly #failed = new LRUCache<string, number>({ max: maxFailed });

  constructor(use: MissesUse) {
    this.#use = use;
  }

  /** Where to send the client, with the job begun; undefined when it is to be answered here. */
  async elsewhere(
    target: ModuleTarget,
    options: Pick<AskOptions, "keptOnly" | "hops">,
  ): Promise<Elsewhere | undefined> {
    const onMiss = this.#use.onMiss();
    if (onMiss === "fetch" || options.keptOnly !== false || !("version" in target)) return undefined;
    const { kind, path } = target;
    const id: ModuleVersion = { path, version: target.version };
    if (!this.#mayBeSent(id) || (await this.#isKept(kind, id))) return undefined;
    const elsewhere = onMiss === "redirect" ? this.#upstreamOf(target) : ({ at: "build" } as const);
    if (elsewhere !== undefined) this.#begin(kind === "zip" ? "zip" : "mod", id, options.hops);
    return elsewhere;
  }

  #mayBeSent(id: ModuleVersion): boolean {
    const { privacy, origin, clock } = this.#use;
    if (this.#use.isRewritten(id.path)) return false;
    if (privacy.mustNotTravel(id.path) || !origin.mayAsk(id.path) || !origin.wouldAsk(id)) return false;
    return (this.#failed.get(formatModuleVersion(id)) ?? 0) <= clock.now();
  }

  /** Damage counts as kept: its repair is told to whoever asks. */
  async #isKept(kind: "info" | "mod" | "zip", id: ModuleVersion): Promise<boolean> {
    const { store } = this.#use;
    try {
      return (kind === "zip" ? await store.findZip(id) : await store.findMod(id)) !== undefined;
    } catch (error) {
      if (error instanceof StoreDamaged) return true;
      throw error;
    }
  }

  /** The first public upstream in order that is well and asks for nothing that only we can show. */
  #upstreamOf(target: ModuleTarget): Elsewhere | undefined {
    const { chain, order, health } = this.#use;
    const candidates = chain().upstreams.filter((upstream) => this.#isFitFor(upstream));
    const ordered = order()?.(candidates, target.path) ?? candidates;
    const upstream = ordered.find(({ name }) => health.condition(name) === "closed");
    return upstream && { at: "upstream", url: upstream.url + formatTarget(target), upstream: upstream.name };
  }

  #isFitFor({ kind, name, url, public: isPublic }: Upstream): boolean {
    if (kind !== "http" || !isPublic || !this.#use.isForEverybody(name)) return false;
    const { username, password, search } = new URL(url);
    return username === "" && password === "" && search === "";
  }

  #begin(stage: "mod" | "zip", id: ModuleVersion, hops: string): void {
    const { jobs, stop, failed, clock } = this.#use;
    const asking = { hops, signal: stop };
    const job = stage === "zip" ? jobs.fetchZip(id, asking) : jobs.fetchMod(id, asking);
    job.catch((error: unknown) => {
      // No room to begin says nothing about the version.
      if (stop.aborted || error instanceof GateFull) return;
      this.#failed.set(formatModuleVersion(id), clock.now() + failedMs);
      failed(stage, id, error);
    });
  }
}
