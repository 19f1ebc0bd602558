// The commands about forks of checksum databases. They work beside a running server, which looks for decisions itself.

import { join } from "node:path";
import { JsonlSink } from "#adapters/sinks/jsonl.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { CliServices, SettingFlags } from "#doors/cli/services.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { decide, listAlarms } from "#services/sumdb/alarms.ts";
import type { Config } from "./config.ts";
import { openStore } from "./open-store.ts";

export type AlarmCommands = Pick<CliServices, "sumdbAlarms" | "sumdbResume">;

/** A reason is a sentence for the next person. */
const maxReasonLetters = 1_000;

export function alarmCommands(load: (flags: SettingFlags) => Promise<Config>): AlarmCommands {
  const open = async (flags: SettingFlags) => {
    const config = await load(flags);
    const { values } = config;
    const { storage } = await openStore(config, {});
    const names = values.sumdb.map(parseGosumdb).flatMap((parsed) => (parsed.kind === "database" ? [parsed.name] : []));
    const found = names.map(async (database) =>
      (await listAlarms(storage, database)).map((alarm) => ({ database, ...alarm })),
    );
    return { dir: values.store, storage, alarms: (await Promise.all(found)).flat() };
  };
  return {
    sumdbAlarms: async (flags) => (await open(flags)).alarms,
    sumdbResume: async ({ id, reason }, flags) => {
      const { dir, storage, alarms } = await open(flags);
      const [alarm, ...more] = alarms.filter((each) => id !== "" && each.id.startsWith(id));
      if (alarm === undefined || more.length > 0) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "alarm", id });
      const { database } = alarm;
      const decision = { atMs: systemClock.now(), reason: reason.slice(0, maxReasonLetters) };
      await decide(storage, { database, id: alarm.id, decision });
      const events = new JsonlSink(join(dir, "state", "events.jsonl"), systemClock);
      events.emit({ name: "sumdb.resumed", database, evidence: alarm.evidence, reason: decision.reason });
      await events.flush();
      return { database, id: alarm.id };
    },
  };
}
