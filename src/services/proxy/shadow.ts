// A second opinion: for a share of what was kept, another upstream is asked as well, and only hashes are compared. What
// it sends is never kept. Tells how a mirror does before it is taken into the list.

import { hashGoMod } from "#protocol/dirhash.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { formatTarget } from "#protocol/request.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Storage } from "#services/store/ports.ts";
import { readWhole } from "#services/upstreams/attempt.ts";
import type { Shadow } from "#services/upstreams/chain.ts";
import { drawOf } from "#services/upstreams/order.ts";
import type { UpstreamClient, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { Gate, GateFull } from "./gate.ts";
import type { Verifier } from "./ports.ts";
import { VerifierFault } from "./ports.ts";
import type { Privacy } from "./privacy.ts";

export type ShadowsUse = {
  readonly shadows: () => readonly Shadow[];
  readonly client: UpstreamClient;
  readonly store: ModuleStore;
  readonly storage: Storage;
  readonly verifier: Verifier;
  readonly privacy: Privacy;
  readonly events: EventSink;
  readonly stop: AbortSignal;
};

/** One comparison at a time, so that it never costs clients much; those beyond the line are not made. */
const maxWaiting = 100;
/** A comparison that takes longer is given up. */
const compareMs = 5 * 60_000;

export class Shadows {
  readonly #use: ShadowsUse;
  readonly #turns = new Gate(1, maxWaiting);

  constructor(use: ShadowsUse) {
    this.#use = use;
  }

  /** A stage of a version was kept. Compares it when its turn is drawn; never throws and never waits. */
  kept(stage: "mod" | "zip", id: ModuleVersion): void {
    const { shadows, privacy, stop } = this.#use;
    if (privacy.mustNotTravel(id.path)) return;
    for (const shadow of shadows()) {
      if (stop.aborted || drawOf(`shadow ${formatModuleVersion(id)}`) >= shadow.share) continue;
      void this.#turns
        .pass(() => this.#compare(stage, id, shadow))
        .catch((error: unknown) => {
          if (!(error instanceof GateFull)) throw error;
        });
    }
  }

  async #compare(stage: "mod" | "zip", id: ModuleVersion, { upstream }: Shadow): Promise<void> {
    const { events, store } = this.#use;
    const kept =
      stage === "mod" ? (await store.findMod(id))?.manifest.mod.h1 : (await store.findZip(id))?.manifest.zip.h1;
    if (kept === undefined) return;
    const found = await this.#hashAt(stage, id, { upstream }).catch((error: unknown) => {
      if (error instanceof UpstreamFault || error instanceof VerifierFault) return error.message;
      throw error;
    });
    const about = { module: id.path, version: id.version, stage, upstream: upstream.name };
    events.emit({ name: "upstream.compared", ...about, same: found === kept, expected: kept, found });
  }

  /** The hash of what the shadow sends; words when it sends nothing that has one. */
  async #hashAt(stage: "mod" | "zip", id: ModuleVersion, { upstream }: Pick<Shadow, "upstream">): Promise<string> {
    const { client, stop } = this.#use;
    const signal = AbortSignal.any([stop, AbortSignal.timeout(compareMs)]);
    const path = formatTarget({ kind: stage, cachedOnly: false, path: id.path, version: id.version });
    const maxBytes = stage === "mod" ? maxGoModBytes : maxZipBytes;
    const response = await client.get(upstream, { path, maxBytes, signal });
    try {
      if (response.status !== 200) return `answered ${response.status}`;
      return stage === "mod" ? hashGoMod(await readWhole(response.body)) : await this.#zipHash(response, id, signal);
    } finally {
      response.cancel();
    }
  }

  async #zipHash(response: UpstreamResponse, id: ModuleVersion, signal: AbortSignal): Promise<string> {
    const stage = await this.#use.storage.stage(maxZipBytes);
    try {
      for await (const chunk of response.body) await stage.write(chunk);
      await stage.seal();
      const { h1, report } = await this.#use.verifier.check(stage.locate(), id, signal);
      return report.valid ? h1 : "not a valid zip";
    } finally {
      await stage.discard();
    }
  }
}
