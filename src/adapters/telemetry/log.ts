// Logs are events with stable names: JSON lines for machines, one short line for people. Never on a request's path.

import { pino } from "pino";
import type { EventSink, GranaryEvent, Traced } from "#services/events/ports.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type Log = {
  readonly [Level in LogLevel]: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
};

/** @param write takes one finished line; the caller decides where lines go (stderr) */
export function makeLog(options: {
  readonly format: "text" | "json";
  readonly level: LogLevel | "silent";
  readonly write: (line: string) => void;
}): Log {
  const { format, level, write } = options;
  const stream = { write: format === "json" ? write : (line: string) => write(asText(line)) };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const at = (name: LogLevel) => (event: string, fields?: Readonly<Record<string, unknown>>) =>
    logger[name]({ event, ...fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** `12:03:04 warn  upstream.opened upstream=official reason=refused` */
function asText(line: string): string {
  const { time, level, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return (
    `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(event)} ${pairs.join(" ")}`.trimEnd() + "\n"
  );
}

/** Events worth a look at once are warnings; the rest is information or detail. */
export function logSink(log: Log): EventSink {
  return {
    emit: (event: GranaryEvent & Traced) => {
      const { name, ...fields } = event;
      log[levelOf(event)](name, fields);
    },
  };
}

function levelOf(event: GranaryEvent): LogLevel {
  switch (event.name) {
    case "module.ingested":
      // Never silently: nobody but a list vouches for it.
      return event.verifiedBy === "integrity" ? "warn" : "debug";
    case "pin.set":
    case "job.retried":
    case "job.dropped":
    case "egress.connected":
    case "egress.request":
      return "debug";
    case "sync.state":
      return event.state === "failed" || event.state === "quarantine" ? "warn" : "info";
    case "upstream.compared":
      return event.same ? "debug" : "warn";
    case "store.back":
    case "upstream.closed":
    case "coordination.up":
    case "egress.failed":
    case "config.applied":
    case "token.added":
    case "token.revoked":
    case "write.done":
    case "module.published":
    case "version.held":
    case "version.freed":
    case "version.repacked":
    case "pin.forgotten":
    case "quarantine.removed":
    case "quarantine.released":
    case "upstream.enabled":
    case "module.resumed":
    case "operations.resumed":
    case "sumdb.resumed":
    case "integrity.proven":
    case "index.rebuilt":
    case "index.back":
    case "gc.done":
    case "sumlog.witnessed":
    case "alarm.cleared":
    case "webhook.delivered":
      return "info";
    case "store.away":
    case "store.gave-way":
    case "module.denied":
    case "module.quarantined":
    case "alarm.raised":
    case "sumlog.failed":
    case "sumlog.unwitnessed":
    case "sumdb.refused":
    case "sumdb.unwatched":
    case "integrity.failed":
    case "index.failed":
    case "index.away":
    case "tending.failed":
    case "operations.lost":
    case "module.conflict":
    case "module.disputed":
    case "upstream.opened":
    case "coordination.down":
    case "upstream.disabled":
    case "job.dead":
    case "config.refused":
    case "write.refused":
    case "webhook.refused":
    case "sync.index-failed":
      return "warn";
    case "store.damaged":
    case "sumdb.fork":
    case "sumlog.stopped":
    case "pin.mismatch":
      return "error";
  }
}
