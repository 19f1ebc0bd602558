// `granary sumweb`: a server for checksum databases and nothing else.

import { logSink, makeLog } from "#adapters/telemetry/log.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { SumwebRequest } from "#doors/cli/services.ts";
import { Counters } from "#doors/http/counters.ts";
import { HotCache } from "#doors/http/hot.ts";
import { SumdbDoor } from "#doors/http/sumdb.ts";
import { makeSumdbHandler } from "#doors/http/sumdb-handler.ts";
import { silentMeter } from "#services/events/ports.ts";
import type { Config } from "./config.ts";
import { hotLimits, httpSettings, limitsOf } from "./http-settings.ts";
import { hearStops, openOperations, openPort, untilStopped } from "./serving.ts";
import type { ServeIo } from "./start.ts";
import { openFolder, openMirrors } from "./sumweb-databases.ts";
import type { Databases } from "./sumweb-databases.ts";
import { readTls, trustsStrangers, watchTls } from "./tls-files.ts";

/** Runs until it is told to stop. Resolves to the exit code; throws GranaryError when it cannot start. */
export async function serveSumweb(
  { db }: SumwebRequest,
  config: Config,
  io: Pick<ServeIo, "stdout" | "stderr" | "onStop">,
): Promise<number> {
  const { values } = config;
  const log = makeLog({ format: values["log.format"], level: values["log.level"], write: io.stderr });
  const tls = await readTls(values);
  // A folder is served as it is, unless somebody named the database that it is to mirror.
  const isOffline = db !== undefined && !config.origins.sumdb.startsWith("flag ");
  const databases = await (isOffline
    ? openFolder(db, logSink(log))
    : openMirrors(config, { dir: db, log: logSink(log) }));
  const operations = openOperations(values.logdir, { events: databases.events });
  try {
    let isDraining = false;
    const handler = handlerOf(config, databases, () => isDraining);
    const door = { tls, lang: () => values.lang, operations, handler, limits: limitsOf(values) };
    const stops = hearStops(io.onStop);
    const listener = await openPort(values.listen, door).catch((error: unknown) => {
      stops.off();
      throw error;
    });
    databases.listening(listener.address);
    const scheme = tls === undefined ? "http" : "https";
    io.stdout(`granary sumweb listening on ${scheme}://${listener.address}\n`);
    for (const { name, key } of databases.shown()) log.info("sumweb.database", { name, key, offline: isOffline });
    if (trustsStrangers(tls)) log.warn("tls.client-ca.wide", { file: values["tls.clientCa"] });
    const unwatch = watchTls(values, { listeners: [listener], log });
    const drain = (): void => void (isDraining = true);
    const drainMs = values["limits.drain"];
    const code = await untilStopped({ listeners: [listener], log, onStop: stops.onStop, drainMs, drain });
    unwatch();
    return code;
  } finally {
    await operations?.flush();
    await databases.close();
  }
}

function handlerOf(
  config: Config,
  databases: Databases,
  isDraining: () => boolean,
): ReturnType<typeof makeSumdbHandler> {
  const { values } = config;
  const settings = httpSettings(values);
  const { hot, absent } = hotLimits(values);
  return makeSumdbHandler({
    sumdb: new SumdbDoor({ mirrors: databases.mirrors, privacy: () => settings.privacy, meter: silentMeter }),
    root: databases.mirrors[0]?.name ?? "",
    databases: databases.shown,
    // Public databases have nothing that only readers may see.
    access: { mayReadPrivate: () => Promise.resolve({ verdict: "allow", who: "anyone" }) },
    isDraining,
    settings: () => ({ ...settings, notices: [] }),
    hot: new HotCache(hot),
    absent: new HotCache(absent),
    counters: new Counters(),
    clock: systemClock,
  });
}
