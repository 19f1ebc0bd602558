// Tries what the store needs of a bucket, for `granary store check`: with an object of its own beside the store's, which
// is gone afterwards. Every step tells what came of it; none is taken on trust.

import { randomBytes } from "node:crypto";
import { get as getPlain } from "node:http";
import { get as getTls } from "node:https";
import { getCACertificates } from "node:tls";
import type { BucketSeen, BucketTry, TryOutcome } from "#services/store/ports.ts";
import { wholeBody } from "./_s3-body.ts";
import { S3Names } from "./_s3-facts.ts";
import { S3Failure } from "./_s3-failure.ts";
import { sendable } from "./_s3-parts.ts";
import { tried } from "./_s3-tries.ts";
import type { Tries } from "./_s3-tries.ts";
import { openWire } from "./_s3-wire.ts";
import type { Condition, S3Wire } from "./_s3-wire.ts";
import { newId } from "./_s3-write.ts";
import type { S3Options } from "./s3.ts";

/** An ETag that no object has. */
const foreignEtag = '"00000000000000000000000000000000"';
/** The URL is only for this one try. */
const linkSeconds = 60;

type Checked = Omit<S3Options, "staging">;

/** Throws Error when the driver cannot be loaded; everything that the service does is an outcome. */
export async function probeBucket(options: Checked): Promise<BucketSeen> {
  let skewMs: number | undefined;
  const onTime = (atMs: number): void => void (skewMs = atMs - Date.now());
  const wire = await openWire({ ...options, onTime });
  const end = new AbortController();
  try {
    const probe = new Probe(wire, options, { forMs: options.timeoutMs, signal: end.signal });
    await probe.run();
    const { bucket, prefix, endpoint } = options;
    return { bucket, prefix, endpoint, tries: probe.tries, versioning: probe.versioning, skewMs };
  } finally {
    wire.close();
  }
}

class Probe {
  readonly tries: Partial<Record<BucketTry, TryOutcome>> = {};
  versioning: BucketSeen["versioning"];
  readonly #wire: S3Wire;
  readonly #limits: Tries;
  readonly #options: Checked;
  readonly #name: string;
  readonly #folder: string;

  constructor(wire: S3Wire, options: Checked, limits: Tries) {
    this.#wire = wire;
    this.#limits = limits;
    this.#options = options;
    this.#folder = new S3Names(options.prefix).prefix;
    this.#name = `${this.#folder}granary.check-${randomBytes(8).toString("hex")}`;
  }

  async run(): Promise<void> {
    await this.#try("list", () => this.#wire.list(this.#folder, undefined));
    const { list } = this.tries;
    // Nothing else can come of a service that does not answer, or has no such bucket.
    if (list?.is === "failed" && (list.status === undefined || list.status === 404)) return;
    await this.#try("write", () => this.#put("one", { absent: true }));
    if (this.tries.write?.is !== "good") return;
    try {
      await this.#withObject();
    } finally {
      await this.#clean();
    }
  }

  async #withObject(): Promise<void> {
    const wire = this.#wire;
    let etag: string | undefined;
    await this.#try("read", async () => {
      const got = await wire.get(this.#name);
      if (got === undefined) return false;
      etag = got.facts.etag;
      return Buffer.from(await wholeBody(got)).toString() === "one";
    });
    await this.#try("create", () => this.#isRefused(() => this.#put("two", { absent: true })));
    await this.#try("parts", () => this.#isRefused(() => this.#putInParts()));
    await this.#try("stale", () => this.#isRefused(() => this.#put("two", { etag: foreignEtag })));
    const { etag: now = etag } = (await wire.head(this.#name).catch(() => undefined)) ?? {};
    if (now !== undefined) await this.#try("replace", () => this.#put("three", { etag: now }));
    await this.#try("link", async () => {
      const url = await wire.link(this.#name, linkSeconds);
      return (await statusOf(url, this.#options)) === 200;
    });
    await this.#try("versioning", async () => {
      this.versioning = stateOf(await wire.versioning());
    });
    const last = (await wire.head(this.#name).catch(() => undefined))?.etag;
    await this.#try("remove", async () => {
      await wire.remove(this.#name);
      return (await wire.head(this.#name)) === undefined;
    });
    if (this.tries.remove?.is !== "good") return;
    if (last !== undefined) await this.#try("revive", () => this.#isRefused(() => this.#put("four", { etag: last })));
    if (this.tries.revive?.is === "wrong") await wire.remove(this.#name).catch(() => undefined);
    await this.#try("recreate", async () => !(await this.#isRefused(() => this.#put("five", { absent: true }))));
  }

  /** `work` may say that what it saw is not as it should be. */
  async #try(what: BucketTry, work: () => Promise<unknown>): Promise<void> {
    try {
      const isGood = (await tried(this.#limits, work)) !== false;
      this.tries[what] = { is: isGood ? "good" : "wrong" };
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error;
      this.tries[what] = { is: "failed", status: error.status, code: error.code, said: error.message };
    }
  }

  async #isRefused(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return false;
    } catch (error) {
      if (error instanceof S3Failure && (error.isRefused || error.status === 404)) return true;
      throw error;
    }
  }

  async #put(text: string, when: Condition): Promise<void> {
    const bytes = Buffer.from(text);
    await this.#wire.put(this.#name, sendable({ bytes }, 0, bytes.length), { id: newId(), when });
  }

  async #putInParts(): Promise<void> {
    const wire = this.#wire;
    const upload = await wire.beginParts(this.#name, newId());
    try {
      const bytes = Buffer.from("parts");
      const part = await wire.part(this.#name, upload, 1, sendable({ bytes }, 0, bytes.length));
      await wire.endParts(this.#name, upload, [part]);
    } catch (error) {
      await wire.abortParts(this.#name, upload).catch(() => undefined);
      throw error;
    }
  }

  /** Leaves nothing, as far as we may: versions and markers too. */
  async #clean(): Promise<void> {
    await this.#wire.remove(this.#name).catch(() => undefined);
    if (this.versioning === undefined || this.versioning === "off") return;
    const versions = await this.#wire.versions(this.#name).catch(() => []);
    for (const { id } of [...versions].reverse()) await this.#wire.remove(this.#name, id).catch(() => undefined);
  }
}

function stateOf(said: string): BucketSeen["versioning"] {
  if (said === "Enabled") return "on";
  return said === "Suspended" ? "suspended" : "off";
}

/** As a client would ask, who knows nothing but the URL. Throws S3Failure when there is no answer. */
async function statusOf(url: string, { ca, timeoutMs }: Checked): Promise<number> {
  return await new Promise((resolve, reject) => {
    const fail = (error: Error & { readonly code?: string }): void => {
      const { code = "Error", message } = error;
      reject(new S3Failure("link", { status: undefined, code, message }, { cause: error }));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const extra = ca === undefined ? {} : { ca: [...getCACertificates("default"), ca] };
    const request = url.startsWith("https:") ? getTls(url, { signal, ...extra }) : getPlain(url, { signal });
    request.once("error", fail);
    request.once("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
  });
}
