// Names become addresses here, and stay that for a while: an upstream is one name asked ten thousand times, and a DNS
// that fails for a few minutes must not fail a build. The operator's `hosts` come first, as /etc/hosts would.

import { lookup as systemLookup } from "node:dns";
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";

/** getaddrinfo tells no lifetime; this is the least that a resolver is asked again after. */
const ttlMs = 300_000;
/** An answer that can no longer be refreshed is used for this long beyond its lifetime. */
const staleMs = 600_000;
/** Redirects choose names: what they can make us remember ends here. */
const maxNames = 1_000;
/** One answer's addresses; more than this is not a service but an attack on the dialler. */
const maxAddresses = 16;
/** glibc waits 5 s per server and try; whoever waits longer is better told. */
const waitMs = 5_000;
/** A name is asked again for its failing connections at most this often. */
const retryMs = 1_000;
/** How often names of upstreams are looked over; they are asked again before their lifetime ends. */
const refreshEveryMs = 30_000;

export type NamesOptions = {
  /** The resolver; the system's by default. */
  readonly lookup?: LookupFunction;
  /** Host names (lower case) with the addresses to use for them instead of asking. */
  readonly hosts?: ReadonlyMap<string, readonly string[]>;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

type Kept = { readonly addresses: readonly string[]; readonly at: number };

/** A name nobody could resolve in time. */
class SlowResolver extends Error {
  readonly code = "EAI_AGAIN";
}

export class Names {
  readonly #lookup: LookupFunction;
  readonly #hosts: ReadonlyMap<string, readonly string[]>;
  readonly #now: () => number;
  /** In order of use: the first one was not asked for longest. */
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Promise<readonly string[]>>();
  readonly #upstreams = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor({ lookup = systemLookup, hosts = new Map(), now = () => performance.now() }: NamesOptions = {}) {
    this.#lookup = lookup;
    this.#hosts = hosts;
    this.#now = now;
    this.#timer = setInterval(() => void this.refresh(), refreshEveryMs).unref();
  }

  /** Names that are resolved now and kept fresh in the background. Failures show when somebody asks. */
  async keep(names: Iterable<string>): Promise<void> {
    for (const name of names) if (isIP(name) === 0 && !this.#hosts.has(name)) this.#upstreams.add(name);
    await this.refresh();
  }

  /** The addresses of a name, best first. Throws the resolver's error. */
  async resolve(name: string): Promise<readonly string[]> {
    const own = isIP(name) === 0 ? this.#hosts.get(name.toLowerCase()) : [name];
    if (own !== undefined) return own;
    const kept = this.#kept.get(name);
    if (kept === undefined) return await this.#ask(name);
    const age = this.#now() - kept.at;
    if (age < ttlMs) return this.#touch(name, kept);
    return await this.#ask(name).catch((error: unknown) => {
      if (age < ttlMs + staleMs) return this.#touch(name, kept);
      throw error;
    });
  }

  /**
   * Addresses after none of `failed` could be connected to: asked anew, unless that was a moment ago. Undefined when
   * there is nothing new to try.
   */
  async resolveAgain(name: string, failed: readonly string[]): Promise<readonly string[] | undefined> {
    const kept = this.#kept.get(name);
    if (kept === undefined || this.#now() - kept.at < retryMs) return undefined;
    const found = await this.#ask(name).catch(() => []);
    const fresh = found.filter((address) => !failed.includes(address));
    return fresh.length === 0 ? undefined : fresh;
  }

  /** Asks anew for the upstreams' names whose lifetime ends soon. */
  async refresh(): Promise<void> {
    const due = [...this.#upstreams].filter((name) => {
      const kept = this.#kept.get(name);
      return kept === undefined || this.#now() - kept.at > ttlMs - 2 * refreshEveryMs;
    });
    await Promise.allSettled(due.map((name) => this.#ask(name)));
  }

  /** Stops asking in the background. */
  close(): void {
    clearInterval(this.#timer);
  }

  #touch(name: string, kept: Kept): readonly string[] {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept.addresses;
  }

  /** One question per name at a time. */
  #ask(name: string): Promise<readonly string[]> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const asked = lookupAll(this.#lookup, name)
      .then((addresses) => this.#remember(name, addresses))
      .finally(() => this.#running.delete(name));
    this.#running.set(name, asked);
    return asked;
  }

  #remember(name: string, addresses: readonly string[]): readonly string[] {
    this.#touch(name, { addresses, at: this.#now() });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxNames) break;
      this.#kept.delete(oldest);
    }
    return addresses;
  }
}

/** All addresses in the resolver's order, within `waitMs`. */
function lookupAll(lookup: LookupFunction, name: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new SlowResolver(`no answer for ${name} within ${waitMs} ms`)), waitMs);
    lookup(name, { all: true, order: "verbatim" }, (error, found) => {
      clearTimeout(timer);
      const addresses = error === null ? addressesIn(found) : [];
      if (addresses.length > 0) resolve(addresses);
      else reject(error ?? Object.assign(new Error(`no address of ${name}`), { code: "ENOTFOUND" }));
    });
  });
}

function addressesIn(found: string | readonly LookupAddress[]): readonly string[] {
  const all = typeof found === "string" ? [found] : found.map(({ address }) => address);
  return all.filter((address) => isIP(address) !== 0).slice(0, maxAddresses);
}
