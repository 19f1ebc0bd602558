// The requests that the store makes of an S3 service, one by one: no retries and no words for people. What fails throws
// S3Failure. The SDK's own retries are off: it cannot tell that a refused second try was our first one.

import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import { getCACertificates } from "node:tls";
import type * as Driver from "./_driver-s3.ts";
import type { S3Facts } from "./_s3-facts.ts";
import { failureOf, S3Failure } from "./_s3-failure.ts";

export type S3Place = {
  readonly bucket: string;
  /** "" is AWS. */
  readonly endpoint: string;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Both "": the SDK's own chain. */
  readonly accessKey: string;
  readonly secretKey: string;
  /** PEM text. */
  readonly ca: string | undefined;
  /** Longest silence of the service in one request. */
  readonly timeoutMs: number;
  /** Told of every request: `put`, `get`, `head`, `list`, `delete`, `part`, … */
  readonly onRequest?: ((what: string) => void) | undefined;
  /** Told the service's time, in milliseconds since the Unix epoch, with every answer. */
  readonly onTime?: ((atMs: number) => void) | undefined;
};

/** When a write may happen. */
export type Condition = { readonly absent: true } | { readonly etag: string };

/** Bytes that can be sent, and sent again. */
export type Sendable = {
  readonly size: number;
  /** A stream is destroyed by who asked for it. */
  open(): Uint8Array | Readable;
};

export type S3Got = { readonly facts: S3Facts; readonly body: Readable };
export type S3Page = {
  readonly objects: readonly { readonly name: string; readonly size: number; readonly modifiedMs: number }[];
  /** Undefined at the end. */
  readonly next: string | undefined;
};
export type S3Version = { readonly id: string; readonly isMarker: boolean; readonly isLatest: boolean };
export type S3Part = { readonly number: number; readonly etag: string };

export interface S3Wire {
  head(name: string): Promise<S3Facts | undefined>;
  /** One answer, whose body is one object as it was at that moment. The caller reads it to its end or destroys it. */
  get(
    name: string,
    range?: { readonly from: number; readonly to?: number; readonly of: S3Facts },
  ): Promise<S3Got | undefined>;
  put(
    name: string,
    body: Sendable,
    write: { readonly id: string; readonly when: Condition | undefined },
  ): Promise<void>;
  /** Returns the upload's id. */
  beginParts(name: string, writeId: string): Promise<string>;
  part(name: string, upload: string, number: number, body: Sendable): Promise<S3Part>;
  endParts(name: string, upload: string, parts: readonly S3Part[]): Promise<void>;
  abortParts(name: string, upload: string): Promise<void>;
  remove(name: string, version?: string): Promise<void>;
  /** At most 1,000 objects, from where the last page ended. */
  list(prefix: string, from: string | undefined): Promise<S3Page>;
  /** All versions and delete markers of exactly this name, the newest first; at most `maxVersions`. */
  versions(name: string): Promise<readonly S3Version[]>;
  /** A URL that reads the object for so long. */
  link(name: string, seconds: number): Promise<string>;
  /** As the service says it: `Enabled`, `Suspended`, or "" where it never was. */
  versioning(): Promise<string>;
  /** Ends every request. */
  close(): void;
}

/** The metadata in which a write says who it is. */
const writeIdName = "granary-write";
const pageSize = 1000;
/** Versions of one key that are looked at. */
export const maxVersions = 1000;
/** Connections at a time; the other requests wait for one. */
const maxSockets = 128;
const longestConnectMs = 10_000;

/** Throws Error when the SDK is not there. */
export async function openWire(place: S3Place): Promise<S3Wire> {
  let driver: typeof Driver;
  try {
    driver = await import("./_driver-s3.ts");
  } catch (error) {
    throw new Error(`the S3 driver cannot be loaded (${(error as Error).message}); install Granary again`, {
      cause: error,
    });
  }
  return new SdkWire(driver, place);
}

/** What fails is thrown; without a logger the SDK writes on the console besides. */
const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** How the SDK is to reach the service. */
export function clientConfig(place: S3Place): Driver.S3ClientConfig {
  const { endpoint, region, pathStyle, accessKey, secretKey, ca, timeoutMs } = place;
  return {
    region,
    forcePathStyle: pathStyle,
    maxAttempts: 1,
    expectContinueHeader: false,
    logger: silent,
    // Services other than AWS know neither the newer checksums nor the framing that carries them.
    ...(endpoint !== "" && {
      endpoint,
      requestChecksumCalculation: "WHEN_REQUIRED" as const,
      responseChecksumValidation: "WHEN_REQUIRED" as const,
    }),
    ...((accessKey !== "" || secretKey !== "") && {
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    }),
    requestHandler: {
      connectionTimeout: Math.min(timeoutMs, longestConnectMs),
      socketTimeout: timeoutMs,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: {
        keepAlive: true,
        maxSockets,
        ...(ca !== undefined && { ca: [...getCACertificates("default"), ca] }),
      },
    },
  };
}

class SdkWire implements S3Wire {
  readonly #driver: typeof Driver;
  readonly #client: Driver.S3Client;
  readonly #bucket: string;
  readonly #told: (what: string) => void;
  readonly #end = new AbortController();

  constructor(driver: typeof Driver, place: S3Place) {
    this.#driver = driver;
    this.#client = new driver.S3Client(clientConfig(place));
    this.#bucket = place.bucket;
    this.#told = place.onRequest ?? (() => undefined);
    const { onTime } = place;
    if (onTime !== undefined) hearTimes(this.#client, onTime);
    setMaxListeners(0, this.#end.signal);
  }

  async head(name: string): Promise<S3Facts | undefined> {
    const command = new this.#driver.HeadObjectCommand({ Bucket: this.#bucket, Key: name });
    return await orAbsent(async () =>
      factsOf(await this.#ask("head", (options) => this.#client.send(command, options))),
    );
  }

  async get(name: string, range?: { from: number; to?: number; of: S3Facts }): Promise<S3Got | undefined> {
    const command = new this.#driver.GetObjectCommand({
      Bucket: this.#bucket,
      Key: name,
      ...(range !== undefined && {
        Range: `bytes=${range.from}-${range.to === undefined ? "" : range.to - 1}`,
        IfMatch: range.of.etag,
        // A version stays readable when it is no longer the newest.
        ...(range.of.version !== "" && { VersionId: range.of.version }),
      }),
    });
    return await orAbsent(async () => {
      const answer = await this.#ask("get", (options) => this.#client.send(command, options));
      return { facts: factsOf(answer), body: answer.Body as Readable };
    });
  }

  async put(name: string, body: Sendable, write: { id: string; when: Condition | undefined }): Promise<void> {
    await this.#sending(body, async (bytes, signal) => {
      const command = new this.#driver.PutObjectCommand({
        Bucket: this.#bucket,
        Key: name,
        Body: bytes,
        ContentLength: body.size,
        Metadata: { [writeIdName]: write.id },
        ...conditionOf(write.when),
      });
      await this.#ask("put", (options) => this.#client.send(command, { ...options, abortSignal: signal }));
    });
  }

  async beginParts(name: string, writeId: string): Promise<string> {
    const command = new this.#driver.CreateMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: name,
      Metadata: { [writeIdName]: writeId },
    });
    const { UploadId } = await this.#ask("begin-parts", (options) => this.#client.send(command, options));
    return UploadId ?? "";
  }

  async part(name: string, upload: string, number: number, body: Sendable): Promise<S3Part> {
    return await this.#sending(body, async (bytes, signal) => {
      const command = new this.#driver.UploadPartCommand({
        Bucket: this.#bucket,
        Key: name,
        UploadId: upload,
        PartNumber: number,
        Body: bytes,
        ContentLength: body.size,
      });
      const send = (options: object) => this.#client.send(command, { ...options, abortSignal: signal });
      const { ETag } = await this.#ask("part", send);
      return { number, etag: ETag ?? "" };
    });
  }

  async endParts(name: string, upload: string, parts: readonly S3Part[]): Promise<void> {
    const command = new this.#driver.CompleteMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: name,
      UploadId: upload,
      IfNoneMatch: "*",
      MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
    });
    await this.#ask("end-parts", (options) => this.#client.send(command, options));
  }

  async abortParts(name: string, upload: string): Promise<void> {
    const command = new this.#driver.AbortMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: name,
      UploadId: upload,
    });
    await this.#ask("abort-parts", (options) => this.#client.send(command, options));
  }

  async remove(name: string, version?: string): Promise<void> {
    const command = new this.#driver.DeleteObjectCommand({
      Bucket: this.#bucket,
      Key: name,
      ...(version !== undefined && { VersionId: version }),
    });
    await this.#ask("delete", (options) => this.#client.send(command, options));
  }

  async list(prefix: string, from: string | undefined): Promise<S3Page> {
    const command = new this.#driver.ListObjectsV2Command({
      Bucket: this.#bucket,
      MaxKeys: pageSize,
      ...(prefix !== "" && { Prefix: prefix }),
      ...(from !== undefined && { ContinuationToken: from }),
    });
    const answer = await this.#ask("list", (options) => this.#client.send(command, options));
    const objects = (answer.Contents ?? []).map(({ Key, Size, LastModified }) => ({
      name: Key ?? "",
      size: Size ?? 0,
      modifiedMs: secondsOf(LastModified),
    }));
    return { objects, next: answer.IsTruncated === true ? answer.NextContinuationToken : undefined };
  }

  async versions(name: string): Promise<readonly S3Version[]> {
    const command = new this.#driver.ListObjectVersionsCommand({
      Bucket: this.#bucket,
      Prefix: name,
      MaxKeys: maxVersions,
    });
    const answer = await this.#ask("versions", (options) => this.#client.send(command, options));
    const all = [
      ...(answer.Versions ?? []).map((each) => ({ ...each, isMarker: false })),
      ...(answer.DeleteMarkers ?? []).map((each) => ({ ...each, isMarker: true })),
    ];
    return all
      .filter(({ Key }) => Key === name)
      .sort((a, b) => Number(b.IsLatest) - Number(a.IsLatest) || timeOf(b.LastModified) - timeOf(a.LastModified))
      .map(({ VersionId, isMarker, IsLatest }) => ({ id: VersionId ?? "null", isMarker, isLatest: IsLatest === true }));
  }

  async link(name: string, seconds: number): Promise<string> {
    const command = new this.#driver.GetObjectCommand({ Bucket: this.#bucket, Key: name });
    return await this.#driver.getSignedUrl(this.#client, command, { expiresIn: seconds });
  }

  async versioning(): Promise<string> {
    const command = new this.#driver.GetBucketVersioningCommand({ Bucket: this.#bucket });
    return (await this.#ask("versioning", (options) => this.#client.send(command, options))).Status ?? "";
  }

  close(): void {
    this.#end.abort(new S3Failure("close", { status: undefined, code: "Closed", message: "the storage is closed" }));
    this.#client.destroy();
  }

  async #ask<T>(what: string, send: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    this.#told(what);
    try {
      return await send({ abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(what, error);
    }
  }

  /** Sends what may be a stream: it is destroyed afterwards, and its failure ends the request. */
  async #sending<T>(
    body: Sendable,
    send: (bytes: Uint8Array | Readable, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const bytes = body.open();
    if (bytes instanceof Uint8Array) return await send(bytes, this.#end.signal);
    const broken = new AbortController();
    let reason: unknown;
    bytes.once("error", (error) => {
      reason = error;
      broken.abort();
    });
    try {
      return await send(bytes, AbortSignal.any([this.#end.signal, broken.signal]));
    } catch (error) {
      throw reason ?? error;
    } finally {
      bytes.destroy();
    }
  }
}

/** Reads the Date of every answer, also of those that say no. */
function hearTimes(client: Driver.S3Client, onTime: (atMs: number) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> };
      const atMs = Date.parse(headers?.["date"] ?? "");
      if (Number.isFinite(atMs)) onTime(atMs);
      return result;
    },
    { step: "deserialize", priority: "low", name: "granaryTimes" },
  );
}

function conditionOf(when: Condition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
  if (when === undefined) return {};
  return "absent" in when ? { IfNoneMatch: "*" } : { IfMatch: when.etag };
}

/** An absent object is no failure. */
async function orAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof S3Failure && error.isAbsent) return undefined;
    throw error;
  }
}

type Answer = {
  readonly ContentLength?: number | undefined;
  readonly LastModified?: Date | undefined;
  readonly ETag?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
};

function factsOf({ ContentLength, LastModified, ETag, VersionId, Metadata }: Answer): S3Facts {
  return {
    size: ContentLength ?? 0,
    modifiedMs: secondsOf(LastModified),
    etag: ETag ?? "",
    version: VersionId ?? "",
    writeId: Metadata?.[writeIdName] ?? "",
  };
}

/** Headers have whole seconds, lists have more: cut to what all can tell. */
function secondsOf(time: Date | undefined): number {
  return Math.floor(timeOf(time) / 1000) * 1000;
}

function timeOf(time: Date | undefined): number {
  return time?.getTime() ?? 0;
}
