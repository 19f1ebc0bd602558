// Releasing quarantined bytes: they are verified anew, like bytes that just arrived, against what the database or the
// pin says today. A mismatch stays a mismatch; what passes is kept and leaves quarantine.

import { hashGoMod } from "#protocol/dirhash.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion, formatModuleVersion } from "#protocol/version.ts";
import type { JsonlSink } from "#adapters/sinks/jsonl.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { Metrics } from "#adapters/telemetry/metrics.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { sumdbFailure } from "#services/proxy/origin.ts";
import type { Verifier } from "#services/proxy/ports.ts";
import { privacyOf } from "#services/proxy/privacy.ts";
import { HashMismatch, Sums, recordsOf, verifiedBy } from "#services/proxy/sums.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { stageOf } from "#services/store/object-bytes.ts";
import { Pins } from "#services/store/pins.ts";
import { Quarantine, quarantinedBytesKey } from "#services/store/quarantine.ts";
import type { Quarantined } from "#services/store/quarantine.ts";
import type { Stage, Storage } from "#services/store/ports.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { Health } from "#services/upstreams/health.ts";
import type { Config } from "./config.ts";
import { configuredChain, configuredMirrors } from "./configured.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";

export type ReleaseUse = {
  readonly config: Config;
  readonly storage: Storage;
  readonly events: JsonlSink;
  readonly verifier: Verifier;
};

/** Throws GranaryError when the bytes are still not what they should be, or nobody can say. */
export async function releaseQuarantined(held: Quarantined, use: ReleaseUse): Promise<void> {
  const { config, storage, events } = use;
  const client = makeUpstreamClient(config);
  const databases = configuredMirrors(config, { storage, clock: systemClock, events });
  databases.reroute({
    chain: configuredChain(config, []),
    client,
    health: new Health({ clock: systemClock }),
    meter: new Metrics(),
    clock: systemClock,
    manners: () => ({}),
  });
  const sums = new Sums({
    databases: databases.mirrors,
    privacy: privacyOf(config.values.private),
    pins: new Pins(storage, events),
  });
  const stage = await stageHeld(held, storage);
  try {
    await release(held, { ...use, sums, stage });
  } finally {
    await stage.discard();
    await client.close();
  }
  await new Quarantine(storage, systemClock).remove(held.id);
  events.emit({ name: "quarantine.released", module: held.path, version: held.version, id: held.id });
}

async function release(
  held: Quarantined,
  use: ReleaseUse & { readonly sums: Sums; readonly stage: Stage },
): Promise<void> {
  const { sums, stage, verifier, storage } = use;
  const id = checkModuleVersion(parsePath(held.path), held.version);
  const what = formatModuleVersion(id);
  const signal = AbortSignal.timeout(5 * 60_000);
  const verified = held.kind === "zip" ? await verifier.check(stage.locate(), id, signal) : undefined;
  const found =
    verified === undefined
      ? hashGoMod((await storage.get(quarantinedBytesKey(held.id), held.size))?.bytes ?? new Uint8Array())
      : verified.h1;
  try {
    const expectation = await sums.expect(id, signal);
    await sums.check(id, expectation, { what: held.kind, found });
    if (verified === undefined) return; // a go.mod comes back with the next request, now that its hash is right
    if (!verified.report.valid)
      throw new GranaryError("GRANARY_BAD_MODULE", {
        what,
        upstream: held.upstream,
        reason: verified.report.problems[0]?.reason ?? "invalid zip",
      });
    const facts = {
      verifiedBy: verifiedBy(expectation),
      records: recordsOf(expectation),
      origin: { upstream: held.upstream, url: `quarantine:${held.id}` },
      firstSeen: new Date(systemClock.now()).toISOString(),
    };
    const store = new ModuleStore(storage);
    // Refused before anything of the version was kept: there is no snapshot that the zip could complete.
    if ((await store.committedMod(id)) === undefined)
      throw new GranaryError("GRANARY_VALIDATION_REFUSED", { what, reason: "nothing else of the version is kept" });
    await store.keepZip({ id, stage, zip: { ...verified, ...verified.report }, facts });
  } catch (error) {
    throw inOurWords(error, { what, held });
  }
}

function inOurWords(error: unknown, about: { readonly what: string; readonly held: Quarantined }): unknown {
  const { what, held } = about;
  if (error instanceof SumdbError) return sumdbFailure(what, error);
  if (!(error instanceof HashMismatch)) return error;
  const { upstream } = held;
  if (error.source.kind === "pin")
    return new GranaryError(
      "GRANARY_PIN_MISMATCH",
      { what, upstream, pinned: error.expected, received: error.found },
      { cause: error },
    );
  // No list is asked here: see runRelease's Sums.
  if (error.source.kind === "integrity") return error;
  const { database, id, treeSize } = error.source.record;
  return new GranaryError(
    "GRANARY_SUMDB_MISMATCH",
    {
      what,
      upstream,
      database,
      recorded: error.expected,
      received: error.found,
      record: id,
      tree: treeSize,
      tried: [],
    },
    { cause: error },
  );
}

async function stageHeld(held: Quarantined, storage: Storage): Promise<Stage> {
  const object = await storage.open(quarantinedBytesKey(held.id));
  if (object === undefined) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "quarantine", id: held.id });
  try {
    return (await stageOf(object, storage)).stage;
  } finally {
    await object.close();
  }
}
