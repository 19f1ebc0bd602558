// What every server of ours does around its handler: open the port, ask who is there, write down what was asked, stop.

import { OperationsFile } from "#adapters/sinks/operations.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { Log } from "#adapters/telemetry/log.ts";
import { requireCertificate } from "#doors/http/client-certificate.ts";
import type { Handler } from "#doors/http/client-certificate.ts";
import { listen } from "#doors/http/listener.ts";
import type { Limits, Listener, Tls } from "#doors/http/listener.ts";
import { refusedHandshake, withOperations } from "#doors/http/operations.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { EventSink, OperationLog } from "#services/events/ports.ts";
import type { HostPort } from "./config-kinds.ts";

export type Operations = OperationLog & { flush(): Promise<void> };

/** The operation log of a directory; undefined for none. `process` where several write there. */
export function openOperations(
  dir: string,
  use: { readonly events: EventSink; readonly process?: number },
): Operations | undefined {
  return dir === "" ? undefined : new OperationsFile({ dir, ...use });
}

export type Doorway = {
  readonly tls: Tls | undefined;
  readonly lang: () => Lang;
  readonly operations: Operations | undefined;
};

/** `handler` behind what every request passes: the operation log, then the client's certificate. */
export function behindDoorway(handler: Handler, { tls, lang, operations }: Doorway): Handler {
  const guarded = tls?.clients === undefined ? handler : requireCertificate(handler, { lang, clock: systemClock });
  return operations === undefined ? guarded : withOperations(guarded, { log: operations, clock: systemClock });
}

/** Opens a port. Throws GRANARY_PORT_TAKEN or GRANARY_LISTEN_FAILED. */
export async function openPort(
  at: HostPort,
  use: Doorway & { readonly handler: Handler; readonly limits: Limits },
): Promise<Listener> {
  const { operations, tls, limits } = use;
  const onRefused = operations && refusedHandshake({ log: operations, clock: systemClock });
  try {
    return await listen(at, { handler: behindDoorway(use.handler, use), limits, tls, onRefused });
  } catch (error) {
    throw listenFailure(at, error);
  }
}

export function listenFailure({ host, port }: HostPort, error: unknown): GranaryError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return new GranaryError("GRANARY_PORT_TAKEN", { host, port }, { cause: error });
  return new GranaryError("GRANARY_LISTEN_FAILED", { address: `${host}:${port}`, reason: message }, { cause: error });
}

/** Called with each request to stop; returns a function that stops listening for them. */
export type OnStop = (stop: () => void) => () => void;

/**
 * Hears requests to stop before there is anybody who acts on them: whoever listens later is told of those that came.
 * From here on no signal ends the process by itself; `off` undoes that.
 */
export function hearStops(onStop: OnStop): { readonly onStop: OnStop; readonly off: () => void } {
  let missed = 0;
  let hear = (): void => {
    missed++;
  };
  const off = onStop(() => hear());
  return {
    off,
    onStop: (stop) => {
      hear = stop;
      for (; missed > 0; missed--) queueMicrotask(stop);
      return off;
    },
  };
}

/** The first request to stop drains, a second one stops at once. Resolves to the exit code. */
export async function untilStopped(use: {
  readonly listeners: readonly Listener[];
  readonly log: Log;
  readonly onStop: OnStop;
  readonly drainMs: number;
  /** How long new connections are still taken after the first request to stop, for balancers that ask /-/readyz. */
  readonly leaveMs?: number;
  /** Called when the drain begins. */
  readonly drain: () => void;
}): Promise<number> {
  const { listeners, log, drainMs, leaveMs = 0 } = use;
  return await new Promise((resolve) => {
    let asked = 0;
    let leaving: NodeJS.Timeout | undefined;
    const off = use.onStop(() => {
      asked++;
      if (asked > 1) {
        log.warn("stop.now");
        clearTimeout(leaving);
        for (const listener of listeners) listener.stop();
        off();
        resolve(130);
        return;
      }
      log.info("drain.started", { deadlineMs: drainMs, leaveMs });
      use.drain();
      leaving = setTimeout(() => {
        void Promise.all(listeners.map((listener) => listener.drain(drainMs))).then(() => {
          off();
          resolve(0);
        });
      }, leaveMs);
    });
  });
}
