// A private version from somebody who made it: checked like any other, kept as a whole or not at all.
//
// The same content again is no news, other content for a published version is refused for ever. Nothing is pinned, recorded
// or kept before all of it was found right, so that a refused or broken upload leaves the version free.

import { equalHash, hashGoMod } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { modulePathOf } from "#protocol/gomod.ts";
import { formatInfo } from "#protocol/info.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import { publishedHere } from "#services/store/manifest.ts";
import type { KeptZip, ModuleStore, ProvenZip } from "#services/store/module-store.ts";
import type { Clock, Stage, Storage } from "#services/store/ports.ts";
import { StageTooLarge } from "#services/store/ports.ts";
import type { Room } from "#services/store/room.ts";
import { Deadline } from "./deadline.ts";
import type { Gate } from "./gate.ts";
import { GateFull } from "./gate.ts";
import { inSteps } from "./ingest.ts";
import { checkZip, goModIn, jobDeadlineMs, refusalOf } from "./module-jobs.ts";
import type { Validator, VerifiedZip, Verifier } from "./ports.ts";
import type { Privacy } from "./privacy.ts";
import type { RepeatKeys } from "./repeat-keys.ts";
import { storeFailure } from "./store-failure.ts";
import { HashMismatch } from "./sums.ts";
import type { Sums } from "./sums.ts";

export type PublishUse = {
  readonly store: Pick<ModuleStore, "findZip" | "keepWhole">;
  readonly storage: Pick<Storage, "stage">;
  readonly room: Pick<Room, "enter" | "failed">;
  readonly verifier: Verifier;
  readonly sums: Pick<Sums, "agrees" | "check">;
  readonly privacy: Privacy;
  readonly keys: RepeatKeys;
  /** Uploads at a time. */
  readonly gate: Gate;
  readonly gateLimit: { readonly name: string; readonly value: number };
  /** The operator's own check; undefined when there is none. */
  readonly validator: () => Validator | undefined;
  /** The own checksum database; undefined when there is none. */
  readonly log: OwnRecords | undefined;
  /** Resolves when no process answers about the module from memory any more. */
  readonly forget: (path: string) => Promise<void>;
  readonly clock: Clock;
  readonly wall: Pick<Clock, "now">;
  readonly events: EventSink;
  readonly meter: Meter;
  readonly stop: AbortSignal;
};

export interface OwnRecords {
  /** The zip's hash on record; undefined when there is none. */
  find(id: ModuleVersion): Promise<string | undefined>;
  /** Sees to it that a kept version has a record. */
  record(id: ModuleVersion, signal: AbortSignal): Promise<void>;
}

export type Upload = {
  readonly id: ModuleVersion;
  readonly body: AsyncIterable<Uint8Array>;
  /** Of the client's choice: a request that is repeated with it is the same request. */
  readonly key: string | undefined;
  /** Id of the token. */
  readonly by: string;
};

export type Published = {
  readonly isNew: boolean;
  readonly h1: string;
  readonly goModH1: string;
};

export class Publisher {
  readonly #use: PublishUse;
  readonly #deadline: Deadline;

  constructor(use: PublishUse) {
    this.#use = use;
    this.#deadline = new Deadline({ stop: use.stop, clock: use.clock, ms: jobDeadlineMs });
  }

  /**
   * Resolves once the version is kept, recorded and in the list. Throws GRANARY_PUBLISH_PUBLIC, GRANARY_PUBLISH_REFUSED,
   * GRANARY_PUBLISH_CONFLICT, GRANARY_PUBLISH_KEY, GRANARY_VALIDATION_REFUSED and _FAILED, GRANARY_OVERLOADED, what a store that cannot keep throws, and the
   * signal's reason.
   */
  async publish(upload: Upload, signal: AbortSignal): Promise<Published> {
    const { privacy, gate, gateLimit, room } = this.#use;
    const what = formatModuleVersion(upload.id);
    if (!privacy.isPrivate(upload.id.path))
      throw new GranaryError("GRANARY_PUBLISH_PUBLIC", { what, patterns: privacy.patterns });
    const during = AbortSignal.any([signal, this.#deadline.next()]);
    try {
      return await gate.pass(() => this.#publish(upload, during));
    } catch (error) {
      if (error instanceof GateFull)
        throw new GranaryError("GRANARY_OVERLOADED", { limit: gateLimit.name, value: gateLimit.value });
      room.failed(error);
      throw storeFailure(what, error) ?? error;
    }
  }

  async #publish(upload: Upload, signal: AbortSignal): Promise<Published> {
    const { id, key, by } = upload;
    const { storage, room, clock, events, verifier } = this.#use;
    const what = formatModuleVersion(id);
    const started = clock.now();
    return await inSteps(this.#use, async (step) => {
      await step("admit", { run: () => room.enter() });
      const stage = await storage.stage(maxZipBytes);
      try {
        await step("fetch", { run: () => fill(stage, upload, signal) });
        const { verified, mod } = await step("verify", {
          run: async () => {
            const checked = await checkZip(verifier, { stage, id, signal });
            const goMod = this.#judge(id, checked);
            await this.#validate(id, { verified: checked, mod: goMod, stage, signal });
            return { verified: checked, mod: goMod };
          },
        });
        const isMissing = (await this.#unlessSame(id, verified)) === undefined;
        const { sha256, h1, size: bytes } = verified;
        const before = await this.#use.keys.claim(key, { by, what, sha256, isMissing });
        const isNew =
          isMissing && (await step("keep", { run: () => this.#keep(id, { verified, mod, stage }, signal) }));
        await step("notify", {
          run: async () => {
            if (isNew) this.#tell(id, { bytes, ms: clock.now() - started });
            events.emit({ name: "module.published", module: id.path, version: id.version, isNew, token: by, h1 });
            await this.#use.forget(id.path);
          },
        });
        if (isNew) await this.#record(id, signal);
        return { h1, goModH1: hashGoMod(mod), isNew: before ?? isNew };
      } finally {
        await stage.discard();
      }
    });
  }

  /** The go.mod of a zip that is right. Throws GRANARY_PUBLISH_REFUSED. */
  #judge(id: ModuleVersion, verified: VerifiedZip): Uint8Array {
    const what = formatModuleVersion(id);
    const refuse = (reason: string): never => {
      throw new GranaryError("GRANARY_PUBLISH_REFUSED", { what, reason });
    };
    const { report, goMod } = verified;
    const [problem] = report.problems;
    if (!report.valid) return refuse(problem === undefined ? "no module zip" : `${problem.name}: ${problem.reason}`);
    if (report.files === 0) return refuse("it has no files");
    if (goMod === undefined) return goModIn(id, verified);
    if (id.version.endsWith("+incompatible")) return refuse("+incompatible is for modules without a go.mod");
    const path = pathIn(goMod, refuse);
    return path === id.path ? goMod : refuse(`its go.mod says module ${path}`);
  }

  async #validate(
    { path: module, version }: ModuleVersion,
    zip: {
      readonly verified: VerifiedZip;
      readonly mod: Uint8Array;
      readonly stage: Stage;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const validator = this.#use.validator();
    if (validator === undefined) return;
    const { verified, mod, stage, signal } = zip;
    const { h1, size } = verified;
    const [upstream, verifiedBy] = [publishedHere, "pin"];
    const at = stage.locate();
    const facts = { module, version, h1, goModH1: hashGoMod(mod), size, upstream, verifiedBy };
    const error = await refusalOf(validator, { ...facts, ...("path" in at && { zip: at.path }) }, signal);
    if (error === undefined) return;
    const { reason } = error.fields;
    this.#use.events.emit({ name: "module.denied", module, version, upstream, code: error.code, reason });
    throw error;
  }

  /** What is kept, when it is the same. Throws GRANARY_PUBLISH_CONFLICT when anybody here has seen other content. */
  async #unlessSame(id: ModuleVersion, { h1 }: VerifiedZip): Promise<KeptZip | undefined> {
    const { store, sums, log } = this.#use;
    const kept = await store.findZip(id);
    const known = kept?.manifest.zip.h1 ?? (await log?.find(id));
    if (known !== undefined && !equalHash(known, h1)) throw conflict(id, { kept: known, received: h1 });
    // A pin remembers what an upstream gave, even when it could not be kept.
    if (!(await sums.agrees(id, { by: "pin" }, { what: "zip", found: h1 })))
      throw conflict(id, { kept: "the pinned hash", received: h1 });
    return kept;
  }

  /** What another upload of this version has put in its place: it was first, though its process may be gone. */
  async #proveZip(id: ModuleVersion, stage: Stage, signal: AbortSignal): Promise<ProvenZip | undefined> {
    try {
      const verified = await checkZip(this.#use.verifier, { stage, id, signal });
      const mod = this.#judge(id, verified);
      await this.#validate(id, { verified, mod, stage, signal });
      return { zip: { ...verified, ...verified.report }, mod };
    } catch (error) {
      const isRefused = isGranaryError(error, "GRANARY_PUBLISH_REFUSED");
      if (isRefused || isGranaryError(error, "GRANARY_VALIDATION_REFUSED")) return undefined;
      throw error;
    }
  }

  /** True when it was not there. */
  async #keep(
    id: ModuleVersion,
    zip: { verified: VerifiedZip; mod: Uint8Array; stage: Stage },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { verified, mod, stage } = zip;
    const { store, sums, wall } = this.#use;
    const today = new Date(wall.now()).toISOString();
    const info = formatInfo({ version: id.version, time: today.replace(/\.\d+Z$/, "Z") });
    const origin = { upstream: publishedHere, url: "" };
    const facts = { verifiedBy: "pin", records: [], origin, firstSeen: today } as const;
    const proveZip = (theirs: Stage) => this.#proveZip(id, theirs, signal);
    const arrival = { id, info, mod, stage, zip: { ...verified, ...verified.report }, facts, proveZip };
    const whole = await store.keepWhole(arrival);
    if (whole.conflict && !("kept" in whole && equalHash(whole.kept.manifest.zip.h1, verified.h1)))
      throw conflict(id, {
        kept: "kept" in whole ? whole.kept.manifest.zip.h1 : "another go.mod",
        received: verified.h1,
      });
    // The same files in another zip than was served once: what is not here must not be called kept.
    if (whole.conflict && (await store.findZip(id)) === undefined)
      throw conflict(id, {
        kept: "kept" in whole ? `the zip of sha256 ${whole.kept.manifest.zip.sha256}, evicted` : "another go.mod",
        received: `sha256 ${verified.sha256}`,
      });
    try {
      await sums.check(id, { by: "pin" }, { what: "mod", found: hashGoMod(mod) });
      await sums.check(id, { by: "pin" }, { what: "zip", found: verified.h1 });
    } catch (error) {
      // It agreed a moment ago: somebody pins at the same time, and what is kept is what counts.
      if (!(error instanceof HashMismatch)) throw error;
    }
    return !("isNew" in whole) || whole.isNew;
  }

  #tell({ path: module, version }: ModuleVersion, size: { readonly bytes: number; readonly ms: number }): void {
    const about = { module, version, upstream: publishedHere, verifiedBy: "pin", ...size };
    for (const stage of ["mod", "zip"] as const) this.#use.events.emit({ name: "module.ingested", stage, ...about });
  }

  /** What cannot be recorded now is recorded when it is first looked up; the log tells why. */
  async #record(id: ModuleVersion, signal: AbortSignal): Promise<void> {
    const { log, events } = this.#use;
    await log?.record(id, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      events.emit({ name: "sumlog.failed", database: "own", module: id.path, version: id.version, reason });
    });
  }
}

/** Reads the upload into the stage and seals it. Throws GRANARY_PUBLISH_REFUSED when it is too large. */
async function fill(stage: Stage, { id, body }: Upload, signal: AbortSignal): Promise<void> {
  try {
    for await (const piece of body) {
      signal.throwIfAborted();
      await stage.write(piece);
    }
  } catch (error) {
    if (!(error instanceof StageTooLarge)) throw error;
    const reason = `it is larger than ${maxZipBytes} bytes`;
    throw new GranaryError("GRANARY_PUBLISH_REFUSED", { what: formatModuleVersion(id), reason }, { cause: error });
  }
  signal.throwIfAborted();
  await stage.seal();
}

function pathIn(goMod: Uint8Array, refuse: (reason: string) => never): string {
  try {
    return modulePathOf(goMod);
  } catch (error) {
    if (error instanceof ProtocolError) return refuse(`go.mod: ${error.message}`);
    throw error;
  }
}

function conflict(id: ModuleVersion, hashes: { readonly kept: string; readonly received: string }): GranaryError {
  return new GranaryError("GRANARY_PUBLISH_CONFLICT", { what: formatModuleVersion(id), ...hashes });
}
