// Coordination through Redis or Valkey: one, or a cluster. Safety never rests on it. While it is away every call fails at
// once, and it is used again as soon as it answers.

import { randomUUID } from "node:crypto";
import { getCACertificates } from "node:tls";
import { coordinationTimeoutMs } from "#services/cluster/ports.ts";
import type { Coordination } from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { parseRedisUrl, reasonOf, whyNoCluster } from "./_redis-address.ts";
import type { RedisAddress } from "./_redis-address.ts";
import { Keys } from "./_redis-keys.ts";
import { RedisLink } from "./_redis-link.ts";
import { RedisNotices } from "./_redis-notices.ts";
import { probe } from "./_redis-scripts.ts";
import { RedisAbsences, RedisNodes, RedisRates } from "./_redis-shared.ts";
import { RedisTurns } from "./_redis-turns.ts";
import { openCluster, openOne, Refused } from "./_redis-wire.ts";
import type { Wire } from "./_redis-wire.ts";

export type RedisOptions = {
  /** Several are nodes of one cluster. A node of a cluster that stands alone is found out to be one. */
  readonly urls: readonly string[];
  /** PEM of authorities to trust beside the usual ones, for rediss://. */
  readonly ca: string | undefined;
  /** What every key and channel begins with. */
  readonly prefix: string;
  /** Name of this node. */
  readonly node: string;
  /** How long a turn lasts when its node is silent. */
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Longest wait for an answer; coordinationTimeoutMs when absent. */
  readonly timeoutMs?: number;
  /** Called on each change. The reason is one line and has no secrets. */
  readonly onState?: (state: "up" | "down", reason: string) => void;
};

/** How long the first connections are waited for. */
const firstMs = 1_000;

/** Why these cannot be the URLs of one Redis or of one cluster; undefined when they can. Never quotes them. */
export function whyNoRedis(urls: readonly string[]): string | undefined {
  const parsed = urls.map(parseRedisUrl);
  const reason = parsed.find((one) => typeof one === "string");
  if (reason !== undefined || urls.length === 0) return reason ?? "there is no URL";
  return urls.length === 1 ? undefined : whyNoCluster(parsed.filter((one) => typeof one !== "string"));
}

/** Resolves while Redis is away, too. Throws TypeError for URLs of which whyNoRedis() tells why. */
export async function openRedis(options: RedisOptions): Promise<Coordination> {
  const { urls, ca, prefix, node, leaseMs, clock, timeoutMs, onState } = options;
  const wrong = whyNoRedis(urls);
  if (wrong !== undefined) throw new TypeError(wrong);
  const addresses = urls.map(parseRedisUrl).filter((one) => typeof one !== "string");
  const keys = new Keys(prefix);
  const self = `${node}/${randomUUID()}`;
  const driver = await import("./_driver-redis.ts");
  const wireOptions = {
    addresses,
    timeoutMs: timeoutMs ?? coordinationTimeoutMs,
    name: `granary:${node}`,
    ca: authorities(ca),
  };
  const told = (error: unknown): string => reasonOf(error, addresses);
  const kind = { isCluster: addresses.length > 1 };

  const link = new RedisLink({
    open: (onBroken) =>
      kind.isCluster
        ? openCluster(driver, wireOptions, onBroken)
        : noticingMoves(openOne(driver, { ...wireOptions, address: oneOf(addresses, 0) }, onBroken), kind),
    probe: (wire) => wire.send(keys.probe(node), ["EVAL", probe.text, "1", keys.probe(node), keys.ended]),
    onState: (state, reason) => onState?.(state, reason),
    onUsable: () => void turns.tidy(),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    reasonOf: told,
  });
  const turns = new RedisTurns({ link, keys, clock, leaseMs });
  const notices = new RedisNotices({ link, keys, self });

  let turn = 0;
  const ears = new RedisLink({
    open: (onBroken) => openOne(driver, { ...wireOptions, address: oneOf(addresses, turn++) }, onBroken),
    prepare: async (wire) => {
      await wire.subscribe([keys.ended, keys.notices], (message, channel) => {
        if (channel === keys.ended) turns.heard(message);
        else notices.heard(message);
      });
      notices.missed();
    },
    probe: (wire) => wire.send(undefined, ["PING"]),
    onState: () => undefined,
    reasonOf: told,
  });
  await Promise.all([link.first(firstMs), ears.first(firstMs)]);

  return {
    turns,
    notices,
    absences: new RedisAbsences({ link, keys, clock }),
    rates: new RedisRates({ link, keys, clock }),
    nodes: new RedisNodes({ link, keys, clock }),
    get isUp() {
      return link.isUp;
    },
    async close() {
      await turns.close();
      await Promise.all([link.close(), ears.close()]);
    },
  };
}

/** A node of a cluster sends us elsewhere: the next connection is to all of it. */
function noticingMoves(wire: Wire, kind: { isCluster: boolean }): Wire {
  return {
    ...wire,
    send: async (key, args) => {
      try {
        return await wire.send(key, args);
      } catch (error) {
        if (error instanceof Refused && error.message.startsWith("MOVED")) kind.isCluster = true;
        throw error;
      }
    },
  };
}

function oneOf(addresses: readonly RedisAddress[], n: number): RedisAddress {
  const address = addresses[n % addresses.length];
  if (address === undefined) throw new TypeError("no address");
  return address;
}

function authorities(ca: string | undefined): readonly string[] | undefined {
  return ca === undefined ? undefined : [...getCACertificates("default"), ca];
}
