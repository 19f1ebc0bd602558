// Which client's request an event belongs to. A job outlives whoever asked first, and what it meets on the way (a
// breaker that opens, a connection that fails, bytes that are refused) happens far from there; the id goes along with
// the work itself, so that nobody has to hand it on.

import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import type { EventSink } from "./ports.ts";

const traces = new AsyncLocalStorage<string>();

/** Does `work`, and all that it starts, under a new id: 8 hex digits. */
export function traced<T>(work: () => T): T {
  return traces.run(newTrace(), work);
}

/** The id of the request that this work was started by; undefined for what the server does by itself. */
export function currentTrace(): string | undefined {
  return traces.getStore();
}

export function newTrace(): string {
  return randomBytes(4).toString("hex");
}

/** Adds the id to what is told, as `trace`. */
export function withTrace(sink: EventSink): EventSink {
  return {
    emit: (event) => {
      const trace = currentTrace();
      sink.emit(trace === undefined ? event : { ...event, trace });
    },
  };
}
