// What nodes agree on beside the store, as settings name it.

import { readFile } from "node:fs/promises";
import { openRedis, whyNoRedis } from "#adapters/coordination/redis.ts";
import type { Coordination } from "#services/cluster/ports.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { readSecret } from "./config-secrets.ts";
import { nodeName } from "./node-name.ts";

type Use = {
  readonly events: EventSink;
  /** One that only counts: leases are measured with it. */ readonly clock: Clock;
};

/**
 * Undefined when no Redis is named. Resolves while Redis is away.
 * Throws GRANARY_BAD_CONFIG for URLs that are none, GRANARY_SECRET_UNREADABLE and GRANARY_CONFIG_UNREADABLE for files that are not there.
 */
export async function openCoordination(config: Config, { events, clock }: Use): Promise<Coordination | undefined> {
  const { values, origins, source } = config;
  if (values["redis.url"].length === 0) return undefined;
  const key = "redis.url";
  const origin = origins[key];
  const urls: string[] = [];
  for (const value of values[key]) urls.push((await readSecret({ key, origin, value }, source.machine)).value);
  const reason = whyNoRedis(urls);
  // Not quoted: a URL may carry a password.
  if (reason !== undefined)
    throw new GranaryError("GRANARY_BAD_CONFIG", { origin, key, value: "…", accepted: `${accepted} (${reason})` });
  return await openRedis({
    urls,
    ca: await readAuthorities(values["redis.ca"]),
    prefix: values["redis.prefix"],
    node: nodeName(config),
    leaseMs: values["cluster.lease"],
    clock,
    onState: (state, why) => events.emit({ name: `coordination.${state}`, reason: why }),
  });
}

const accepted = "redis[s]://[USER:PASSWORD@]HOST[:PORT][/DATABASE]";

async function readAuthorities(file: string): Promise<string | undefined> {
  if (file === "") return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason: String(error) }, { cause: error });
  }
}
