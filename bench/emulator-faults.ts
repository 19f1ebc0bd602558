// What an upstream on a bad day does, decided by a seed: the same seed, path and count give the same fault, whatever
// else runs. 20 % faulty means that each answer is faulty with probability 0.2, each of the kinds that suit its path
// and size alike.
import { createHash } from "node:crypto";

export const faultKinds = [
  "503",
  /** With `Retry-After: 1`. */
  "503-retry-after",
  "429",
  /** The connection breaks (RST) before the answer. */
  "rst",
  /** The connection breaks (RST) in the body. */
  "rst-mid",
  /** Content-Length promises more than comes; the connection closes in good order. */
  "truncate",
  /** Accepted, and silence. */
  "stall",
  /** Silence in the body. */
  "stall-mid",
  /** The body arrives whole, but slowly. */
  "drip",
  /** A page of somebody in between, with status 200. */
  "html",
  /** A body that is too short, with a Content-Length that agrees with it. */
  "wrong-length",
  /** One byte is another. */
  "flip",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** `share` says where in the body it happens: 0 at its begin, below 1. */
export type Fault = { readonly kind: FaultKind; readonly share: number };

export type FaultPlan = {
  /** Probability of a faulty answer, 0 to 1. */
  readonly rate: number;
  readonly seed: number;
  /** Only these; default all. */
  readonly kinds?: readonly FaultKind[];
};

export type Asked = { readonly path: string; /** 0 for the first request of the path. */ readonly nth: number };

/** The fault for one request, or undefined for an honest answer of `size` bytes. */
export function faultFor(plan: FaultPlan, asked: Asked, answer: { readonly size: number }): Fault | undefined {
  if (plan.rate <= 0) return undefined;
  const [chance, choice, share] = draws(`${plan.seed}\n${asked.path}\n${asked.nth}`);
  if (chance >= plan.rate) return undefined;
  const suited = (plan.kinds ?? faultKinds).filter((kind) => suits(kind, asked.path, answer.size));
  const kind = suited[Math.floor(choice * suited.length)];
  return kind === undefined ? undefined : { kind, share };
}

const withoutBody: ReadonlySet<FaultKind> = new Set(["503", "503-retry-after", "429", "rst", "stall", "html"]);

function suits(kind: FaultKind, path: string, size: number): boolean {
  if (withoutBody.has(kind)) return true;
  // There is no middle in less than two bytes.
  if (size < 2) return false;
  // Nothing vouches for a list: a shorter one, or one that lacks a version, cannot be told from an honest one.
  return path.endsWith("/@v/list") ? kind !== "flip" && kind !== "wrong-length" : true;
}

/**
 * The body with one byte changed. Info files are in no checksum database: a changed digit of their time could be
 * noticed by nobody, so theirs is a byte that is no UTF-8 any more.
 */
export function flipMask(path: string): number {
  return path.endsWith(".info") || path.endsWith("/@latest") ? 0x80 : 0x01;
}

/** Three numbers from 0 to below 1. */
function draws(text: string): readonly [number, number, number] {
  const hash = createHash("sha256").update(text).digest();
  const at = (offset: number): number => hash.readUInt32BE(offset) / 2 ** 32;
  return [at(0), at(4), at(8)];
}
