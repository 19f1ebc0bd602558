// How many requests one client may send, as a state machine over a clock that is handed in: more than so many within
// one second, and the client waits for a while.
//
//   official   5 a second, the 6th starts a pause of 60 s      gocenter   10 a second, the 11th does

import { LRUCache } from "lru-cache";

export type LimiterRule = {
  /** Requests within any one second that pass; the next one starts the pause. */
  readonly perSecond: number;
  /** How long the pause is. What comes during it is refused and does not prolong it. */
  readonly coolDownMs: number;
};

/** What two public proxies are said to do to one address. */
export const limiterProfiles = {
  official: { perSecond: 5, coolDownMs: 60_000 },
  gocenter: { perSecond: 10, coolDownMs: 60_000 },
} as const satisfies Record<string, LimiterRule>;

/** Clients remembered; the one heard of longest ago leaves. With the highest rate a setting allows some 16 MiB. */
const maxKeys = 4_096;
const secondMs = 1_000;

/** The last requests that passed, as a ring, and the end of the pause. */
type Client = { readonly times: number[]; oldest: number; pausedUntilMs: number };

export class Limiter {
  readonly rule: LimiterRule;
  readonly #clients: LRUCache<string, Client>;

  constructor(rule: LimiterRule, limits: { readonly maxKeys: number } = { maxKeys }) {
    this.rule = rule;
    this.#clients = new LRUCache({ max: limits.maxKeys });
  }

  get size(): number {
    return this.#clients.size;
  }

  /**
   * Counts one request. 0: it passes; else how many milliseconds are left of the pause.
   * @param nowMs milliseconds since the Unix epoch
   */
  admit(key: string, nowMs: number): number {
    const client = this.#clientOf(key);
    if (client.pausedUntilMs > 0) {
      const left = client.pausedUntilMs - nowMs;
      // A longer rest than a pause has: the clock was put back.
      if (left > 0 && left <= this.rule.coolDownMs) return left;
      forget(client);
    }
    return this.#pass(client, nowMs) ? 0 : this.rule.coolDownMs;
  }

  #pass(client: Client, nowMs: number): boolean {
    const { perSecond, coolDownMs } = this.rule;
    if (client.times.length < perSecond) {
      client.times.push(nowMs);
      return true;
    }
    const ageMs = nowMs - (client.times[client.oldest] ?? 0);
    if (ageMs >= 0 && ageMs < secondMs) {
      client.pausedUntilMs = nowMs + coolDownMs;
      return false;
    }
    client.times[client.oldest] = nowMs;
    client.oldest = (client.oldest + 1) % perSecond;
    return true;
  }

  #clientOf(key: string): Client {
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const fresh: Client = { times: [], oldest: 0, pausedUntilMs: 0 };
    this.#clients.set(key, fresh);
    return fresh;
  }
}

function forget(client: Client): void {
  client.times.length = 0;
  client.oldest = 0;
  client.pausedUntilMs = 0;
}

/** The client behind an address: an IPv4 address itself, of an IPv6 address the /64 that one customer has (RFC 6177). */
export function addressKey(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  return address.includes(":") ? `${prefixOf(address)}::/64` : address;
}

/** The first four groups of an IPv6 address. */
function prefixOf(address: string): string {
  const [plain = ""] = address.split("%", 1);
  const [head = "", tail] = plain.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const last = tail === "" ? [] : tail.split(":");
    const missing = Math.max(0, 8 - groups.length - last.length);
    groups.push(...Array.from({ length: missing }, () => "0"), ...last);
  }
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(":");
}
