import type { EventSink } from "#services/events/ports.ts";
import type { Coordination } from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Config } from "./config.ts";

export function openCoordination(
  _config: Config,
  _use: { readonly events: EventSink; readonly clock: Clock },
): Promise<Coordination | undefined> {
  return Promise.resolve(undefined);
}
