// The names of everything we keep in Redis. What one script touches has one hash tag, so that it is in one slot of a cluster.

import { createHash } from "node:crypto";

/** Longer names are kept as their hash. */
const maxNameBytes = 300;
/** Counters of fences, shared by the turns whose names fall into one: one for each name would stay for ever. */
const fences = 64;

export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The turn's key and its fence's. */
  turn(name: string): readonly [turn: string, fence: string] {
    const id = shortened(name);
    const part = (hash(id)[0] ?? 0) % fences;
    return [`${this.#prefix}:turn:{${part}}:${id}`, `${this.#prefix}:fence:{${part}}`];
  }

  absence(key: string): string {
    return `${this.#prefix}:absent:${shortened(key)}`;
  }

  rate(key: string): string {
    return `${this.#prefix}:rate:${shortened(key)}`;
  }

  /** The index of nodes: a sorted set of names by the time at which they count as gone. */
  get nodes(): string {
    return `${this.#prefix}:{nodes}`;
  }

  node(name: string): string {
    return `${this.#prefix}:{nodes}:${shortened(name)}`;
  }

  probe(node: string): string {
    return `${this.#prefix}:probe:${shortened(node)}`;
  }

  /** Channel of turns that ended. */
  get ended(): string {
    return `${this.#prefix}:ended`;
  }

  /** Channel of what nodes tell one another. */
  get notices(): string {
    return `${this.#prefix}:notices`;
  }
}

/** The name, or its hash when it is long. */
export function shortened(name: string): string {
  return Buffer.byteLength(name) <= maxNameBytes ? name : `sha256-${hash(name).toString("hex")}`;
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
