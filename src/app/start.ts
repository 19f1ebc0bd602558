// `granary serve` from settings to the last closed connection: open, say so, watch, drain, stop.

import { readFile } from "node:fs/promises";
import { makeLog } from "#adapters/telemetry/log.ts";
import type { Log } from "#adapters/telemetry/log.ts";
import { listen } from "#doors/http/listener.ts";
import type { Listener, Tls } from "#doors/http/listener.ts";
import { describe } from "#services/errors/catalogue.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { configFiles, reloadConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { limitsOf } from "./http-settings.ts";
import { startHints, startWarnings } from "./start-texts.ts";
import { watchFiles } from "./watch.ts";
import { wire } from "./wire.ts";
import type { Server } from "./wire.ts";
import { Crew } from "./workers.ts";

/** Where a running server meets the process around it. */
export type ServeIo = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Called with each SIGTERM or SIGINT; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
  /** The program a verification thread runs. */
  readonly verifyEntry: URL;
};

/** How often configuration and certificate files are looked at: a change is in force within 9 s. */
const watchMs = 4_000;

/** Runs the server until it is told to stop. Resolves to the exit code; throws GranaryError when it cannot start. */
export async function serve(config: Config, io: ServeIo): Promise<number> {
  const { values } = config;
  const log = makeLog({ format: values["log.format"], level: values["log.level"], write: io.stderr });
  const crew = values.workers > 0 ? new Crew({ entry: io.verifyEntry, values, log }) : undefined;
  const server = await wire({ config, log, verifyEntry: io.verifyEntry, helpers: crew });
  await refuseExposure(config, server);
  const tls = await readTls(config);
  const listener = await openListener(config, { server, tls, crew });
  server.listening(listener.address, listener.connections);
  io.stdout(`granary listening on ${tls === undefined ? "http" : "https"}://${listener.address}\n`);
  io.stderr(startHints(config, { address: listener.address, chain: server.chain(), tls: tls !== undefined }));
  for (const warning of startWarnings(config, server.chain())) log.warn("start.warning", { warning });
  const unwatch = watch(config, { server, listener, log });
  const code = await untilStopped(server, { listener, log, io, drainMs: values["limits.drain"] });
  unwatch();
  await server.close();
  return code;
}

/** A listener beyond loopback with private patterns needs to know its readers, or be told that anyone is one. */
async function refuseExposure({ values }: Config, server: Server): Promise<void> {
  const { host, port } = values.listen;
  const exposed = values.private !== "" && values.privateReaders === "tokens" && !/^(127\.|localhost$|::1$)/.test(host);
  if (!exposed || (await server.hasReaders())) return;
  await server.close();
  throw new GranaryError("GRANARY_PRIVATE_EXPOSED", { listen: `${host}:${port}`, patterns: values.private });
}

async function readTls({ values }: Config): Promise<Tls | undefined> {
  if (values["tls.cert"] === "") return undefined;
  const read = async (file: string): Promise<Buffer> => {
    try {
      return await readFile(file);
    } catch (error) {
      throw new GranaryError("GRANARY_TLS_UNREADABLE", { file, reason: (error as Error).message }, { cause: error });
    }
  };
  const [cert, key] = await Promise.all([read(values["tls.cert"]), read(values["tls.key"])]);
  return { cert, key, profile: values["tls.profile"], http2: values["tls.http2"] };
}

async function openListener(
  config: Config,
  use: { readonly server: Server; readonly tls: Tls | undefined; readonly crew: Crew | undefined },
): Promise<Listener> {
  const { host, port } = config.values.listen;
  const limits = limitsOf(config.values);
  try {
    if (use.crew !== undefined) return await use.crew.open({ ...use, headerBytes: limits.headerBytes });
    return await listen({ host, port }, { handler: use.server.handler, limits, tls: use.tls });
  } catch (error) {
    await use.server.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new GranaryError("GRANARY_PORT_TAKEN", { host, port }, { cause: error });
    throw new GranaryError(
      "GRANARY_LISTEN_FAILED",
      { address: `${host}:${port}`, reason: (error as Error).message },
      { cause: error },
    );
  }
}

/** Looks at the configuration and certificate files; a change is put in force whole or refused whole. */
function watch(
  config: Config,
  use: { readonly server: Server; readonly listener: Listener; readonly log: Log },
): () => void {
  const { server, listener, log } = use;
  const { values } = config;
  let inForce = config;
  const stopConfig = watchFiles(configFiles(config), watchMs, async () => {
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
  const certificates = [values["tls.cert"], values["tls.key"]].filter((file) => file !== "");
  const stopTls = watchFiles(certificates, watchMs, async () => {
    try {
      const next = await readTls(config);
      if (next !== undefined) listener.renew(next);
      log.info("tls.renewed", { files: certificates });
    } catch (error) {
      log.error("tls.refused", { reason: String(error) });
    }
  });
  return () => {
    stopConfig();
    stopTls();
  };
}

/** The first request to stop drains, a second one stops at once. */
async function untilStopped(
  server: Server,
  use: { readonly listener: Listener; readonly log: Log; readonly io: ServeIo; readonly drainMs: number },
): Promise<number> {
  const { listener, log, io, drainMs } = use;
  return await new Promise((resolve) => {
    let asked = 0;
    const off = io.onStop(() => {
      asked++;
      if (asked > 1) {
        log.warn("stop.now");
        listener.stop();
        off();
        resolve(130);
        return;
      }
      log.info("drain.started", { deadlineMs: drainMs });
      server.drain();
      void listener.drain(drainMs).then(() => {
        off();
        resolve(0);
      });
    });
  });
}
