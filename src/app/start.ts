// `granary serve` from settings to the last closed connection: open, say so, watch, drain, stop.

import { makeLog } from "#adapters/telemetry/log.ts";
import type { Log } from "#adapters/telemetry/log.ts";
import type { Listener, Tls } from "#doors/http/listener.ts";
import { describe } from "#services/errors/catalogue.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { configFiles, reloadConfig } from "./config.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { isEdge } from "./configured.ts";
import { readHostPort } from "./config-kinds.ts";
import { limitsOf } from "./http-settings.ts";
import { hearStops, listenFailure, openPort, untilStopped } from "./serving.ts";
import type { OnStop } from "./serving.ts";
import { startHints, startWarnings } from "./start-texts.ts";
import { readTls, trustsStrangers, watchMs, watchTls } from "./tls-files.ts";
import { watchFiles } from "./watch.ts";
import { wire } from "./wire.ts";
import type { Server } from "./wire.ts";
import { Crew } from "./workers.ts";

/** Where a running server meets the process around it. */
export type ServeIo = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Called with each SIGTERM or SIGINT; returns a function that stops listening for them. */
  readonly onStop: OnStop;
  /** The program a verification thread runs. */
  readonly verifyEntry: URL;
};

/** Runs the server until it is told to stop. Resolves to the exit code; throws GranaryError when it cannot start. */
export async function serve(config: Config, io: ServeIo): Promise<number> {
  const { values } = config;
  const log = makeLog({ format: values["log.format"], level: values["log.level"], write: io.stderr });
  const crew =
    values.workers > 0 ? new Crew({ entry: io.verifyEntry, values, isEdge: isEdge(config), log }) : undefined;
  const server = await wire({ config, log, verifyEntry: io.verifyEntry, helpers: crew });
  await refuseExposure(config, server);
  const tls = await readTls(values);
  // From the first open port on, whoever ends this process ends it with a drain.
  const stops = hearStops(io.onStop);
  let listener: Listener;
  let sumlog: Listener | undefined;
  try {
    listener = await openListener(config, { server, tls, crew });
    sumlog = await openSumlog(config, { server, tls, listener });
  } catch (error) {
    stops.off();
    throw error;
  }
  server.listening(listener.address, listener.connections);
  io.stdout(`granary listening on ${tls === undefined ? "http" : "https"}://${listener.address}\n`);
  io.stderr(startHints(config, { address: listener.address, chain: server.chain(), tls: tls !== undefined }));
  for (const warning of startWarnings(config, server.chain())) log.warn("start.warning", { warning });
  const { store, degraded } = await server.status();
  for (const warning of degraded) log.warn("store.closed", { reason: store.closed?.reason, warning });
  if (trustsStrangers(tls)) log.warn("tls.client-ca.wide", { file: values["tls.clientCa"] });
  const listeners = sumlog === undefined ? [listener] : [listener, sumlog];
  if (sumlog !== undefined) log.info("sumlog.listening", { address: sumlog.address });
  const unwatch = watchConfig(config, { server, log });
  const unwatchTls = watchTls(values, { listeners, log });
  const { onStop } = stops;
  const drain = (): void => server.drain();
  const [drainMs, leaveMs] = [values["limits.drain"], values["limits.leave"]];
  const code = await untilStopped({ listeners, log, onStop, drainMs, leaveMs, drain });
  unwatch();
  unwatchTls();
  await server.close();
  return code;
}

/** A listener beyond loopback with private patterns needs to know its readers, or be told that anyone is one. */
async function refuseExposure({ values }: Config, server: Server): Promise<void> {
  const own = values["sumlog.listen"] === "" ? [] : [readHostPort(values["sumlog.listen"])];
  const open = [values.listen, ...own].find(({ host }) => !/^(127\.|localhost$|::1$)/.test(host));
  const needsReaders = values.private !== "" && values.privateReaders === "tokens";
  if (open === undefined || !needsReaders) return;
  const fields = { listen: `${open.host}:${open.port}`, patterns: values.private };
  try {
    if (await server.hasReaders()) return;
  } catch (error) {
    await server.close();
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new GranaryError("GRANARY_READERS_UNKNOWN", { ...fields, reason: error.message }, { cause: error });
  }
  await server.close();
  throw new GranaryError("GRANARY_PRIVATE_EXPOSED", fields);
}

async function openListener(
  config: Config,
  use: { readonly server: Server; readonly tls: Tls | undefined; readonly crew: Crew | undefined },
): Promise<Listener> {
  const { values } = config;
  const { server, tls, crew } = use;
  const limits = limitsOf(values);
  try {
    if (crew === undefined)
      return await openPort(values.listen, { ...doorway(config, use), handler: server.handler, limits });
    return await crew.open({ server, tls, headerBytes: limits.headerBytes }).catch((error: unknown) => {
      throw listenFailure(values.listen, error);
    });
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** The own checksum database at an address of its own, when one is configured. */
async function openSumlog(
  config: Config,
  use: { readonly server: Server; readonly tls: Tls | undefined; readonly listener: Listener },
): Promise<Listener | undefined> {
  const { server, listener } = use;
  const at = config.values["sumlog.listen"];
  const handler = server.sumlogHandler;
  if (at === "" || handler === undefined) return undefined;
  try {
    return await openPort(readHostPort(at), { ...doorway(config, use), handler, limits: limitsOf(config.values) });
  } catch (error) {
    listener.stop();
    await server.close();
    throw error;
  }
}

function doorway({ values }: Config, { server, tls }: { readonly server: Server; readonly tls: Tls | undefined }) {
  return { tls, lang: () => values.lang, operations: server.operations };
}

/** Looks at the configuration files; a change is put in force whole or refused whole. */
function watchConfig(config: Config, use: { readonly server: Server; readonly log: Log }): () => void {
  const { server, log } = use;
  const { values } = config;
  let inForce = config;
  return watchFiles(configFiles(config), watchMs, async () => {
    const next = await reloadConfig(inForce);
    if (next.verdict === "unchanged") return;
    if (next.verdict === "refused") {
      log.error("config.refused", { reason: describe(next.reason, values.lang).join(" ") });
      return;
    }
    inForce = next.config;
    server.apply(next.config);
    log.info("config.applied", { changed: next.changed });
  });
}
