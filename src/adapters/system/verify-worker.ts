// The thread that checks zips: one job at a time, blocking reads, nothing shared. Started by verify-pool.ts; runs by
// itself when a worker thread's data says `{granaryWorker: "verify"}`, so that any bundle holding this file can be
// the entry.

import { createHash, hash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";

import { bytesSource } from "#protocol/zip-bytes.ts";
import type { ByteSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { moduleDirectories, zipPrefix } from "#protocol/zip-names.ts";
import { openZip } from "#protocol/zip.ts";
import { blockBytes } from "#services/proxy/ports.ts";
import type { VerifiedZip, ZipLocation, ZipModule } from "#services/proxy/ports.ts";

import { openFileSource } from "./file-source.ts";

export type VerifyJob = {
  readonly kind: "check" | "directories";
  readonly where: ZipLocation;
  readonly id: ZipModule;
};

export type VerifyAnswer =
  | { readonly ok: true; readonly value: VerifiedZip | ReadonlySet<string> }
  | { readonly ok: false; readonly message: string; /** Of a failed system call: `EIO`, … */ readonly code?: string };

export const verifyWorkerData = { granaryWorker: "verify" } as const;

/** Whole blocks, and no more than a FileSource reads without a buffer of its own. */
const readBytes = 16 * blockBytes;

const serving = new WeakSet<MessagePort>();

/** What a thread says first, once its program is loaded. */
export const ready = "ready";

/** Answers each VerifyJob that comes in on the port with one VerifyAnswer. Asked twice for a port, it serves once. */
export function runVerifyWorker(port: MessagePort): void {
  if (serving.has(port)) return;
  serving.add(port);
  port.postMessage(ready);
  port.on("message", (job: VerifyJob) => port.postMessage(answer(job)));
}

function answer(job: VerifyJob): VerifyAnswer {
  try {
    return { ok: true, value: withSource(job.where, (source) => run(job, source)) };
  } catch (error) {
    const code = systemCode(error);
    return { ok: false, message: error instanceof Error ? error.message : String(error), ...(code && { code }) };
  }
}

/** `EIO`, `EMFILE`, … of a failed system call; undefined for every other error. */
function systemCode(error: unknown): string | undefined {
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  return typeof code === "string" && typeof syscall === "string" ? code : undefined;
}

function withSource<T>(where: ZipLocation, use: (source: ByteSource) => T): T {
  if ("bytes" in where) return use(bytesSource(where.bytes));
  const source = openFileSource(where.path);
  try {
    return use(source);
  } finally {
    source.close();
  }
}

function run(job: VerifyJob, source: ByteSource): VerifiedZip | ReadonlySet<string> {
  if (job.kind === "check") return checkZip(source, job.id);
  return moduleDirectories(
    openZip(source).entries.map((entry) => entry.name),
    zipPrefix(job.id),
  );
}

function checkZip(source: ByteSource, id: ZipModule): VerifiedZip {
  // First, because it reads from front to end: a small zip is then in memory when its entries are looked for.
  const digests = digest(source);
  const { goMod, h1, ...report } = checkModuleZip(source, id);
  return { report, ...(goMod && { goMod }), h1, ...digests, size: source.size };
}

function digest(source: ByteSource): { sha256: string; blocks: Uint8Array } {
  const whole = createHash("sha256");
  const blocks = new Uint8Array(Math.ceil(source.size / blockBytes) * 32);
  for (let offset = 0; offset < source.size; offset += readBytes) {
    const bytes = source.read(offset, Math.min(readBytes, source.size - offset));
    whole.update(bytes);
    for (let at = 0; at < bytes.length; at += blockBytes) {
      blocks.set(hash("sha256", bytes.subarray(at, at + blockBytes), "buffer"), ((offset + at) / blockBytes) * 32);
    }
  }
  return { sha256: whole.digest("hex"), blocks };
}

const data: unknown = workerData;
if (parentPort && typeof data === "object" && data !== null && "granaryWorker" in data) {
  if (data.granaryWorker === verifyWorkerData.granaryWorker) runVerifyWorker(parentPort);
}
