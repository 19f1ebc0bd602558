// `granary drill sumdb`: two Granaries on the loopback, the one that clients ask and the one that has the company's own
// database; an official database and an upstream with modules that exist nowhere else. Nothing of it leaves this machine,
// and nothing is left of it afterwards.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LoopbackUpstream } from "#adapters/system/drilled-upstream.ts";
import { HttpServerClient } from "#adapters/system/server-client.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { makeLog } from "#adapters/telemetry/log.ts";
import { listen } from "#doors/http/listener.ts";
import { generateKey } from "#protocol/note.ts";
import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { MadeUpModules } from "#services/lab/made-up.ts";
import { drillRedundancy } from "#services/lab/redundancy.ts";
import type { Outcome, RedundancyReport, RedundancyWorld, Voucher } from "#services/lab/redundancy.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { ServerSilent } from "#services/prewarm/ports.ts";
import { targetOf } from "#services/prewarm/wanted.ts";
import { versionKey } from "#services/store/layout.ts";
import { maxManifestBytes, parseZipManifest } from "#services/store/manifest.ts";
import type { Storage } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { limitsOf } from "./http-settings.ts";
import { version } from "./version.ts";
import { wire } from "./wire.ts";

export type SumdbDrillUse = {
  readonly config: Config;
  /** An empty folder, removed by whoever made it. */
  readonly dir: string;
  readonly verifyEntry: URL;
  readonly versions: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  /** Undone at the end, the newest first. */
  readonly atEnd: (undo: () => Promise<void>) => void;
};

/** Names of nobody: RFC 6761 keeps `.test` for such. */
const names = { official: "sum.official.test", own: "sum.own.test" } as const;

/** A version that is refused may take its time; one that hangs has failed. */
const requestMs = 60_000;
/** Made-up files, and errors, have a few hundred bytes. */
const maxAnswerBytes = 64 * 1024;
/** Answers of a refused version say so in their first line. */
const code = /^(GRANARY_[A-Z_]+)/;

export async function drillSumdb(use: SumdbDrillUse): Promise<RedundancyReport> {
  const { versions, signal, onProgress } = use;
  return await drillRedundancy({ world: await openWorld(use), versions, signal, onProgress });
}

async function openWorld(use: SumdbDrillUse): Promise<RedundancyWorld> {
  const { atEnd, dir } = use;
  const database = new TestDatabase({ name: names.official });
  const modules = new MadeUpModules(database);
  const loopback = async (name: string, answer: LoopbackAnswer): Promise<LoopbackUpstream> => {
    const upstream = await LoopbackUpstream.start({ name, distanceMs: 0, answer });
    atEnd(() => upstream.close());
    return upstream;
  };
  const upstream = await loopback("modules", (target) =>
    modules.answer(target.startsWith("/sumdb/") ? "/none" : target),
  );
  const official = await loopback("official", (path) => database.answer(path));
  const officialAt = `${database.verifierKey} http://${official.address}`;
  const { signerKey, verifierKey } = generateKey(names.own);
  const keyFile = join(dir, "own.key");
  await writeFile(keyFile, `${signerKey}\n`, { mode: 0o600 });
  const company = await startServer(use, {
    store: join(dir, "company"),
    upstream: `http://${upstream.address}`,
    sumdb: [officialAt],
    "sumlog.key": keyFile,
  });
  // The company's server is away when nobody answers at its address: a gate that passes its answers on.
  const gate = await loopback("own", async (target) => {
    const { status, body } = await company.client.ask({
      method: "GET",
      target,
      keepBytes: maxAnswerBytes,
      signal: use.signal,
    });
    return { status, contentType: "text/plain", bytes: body };
  });
  const local = await startServer(use, {
    store: join(dir, "local"),
    upstream: `http://${upstream.address}`,
    sumdb: [officialAt, `${verifierKey} http://${gate.address}/sumdb/${names.own}`],
  });
  const of = { official, own: gate };
  return {
    prepare: async (count, before) => {
      const ids: ModuleVersion[] = [];
      for (let at = 0; at < count; at++) ids.push(await modules.version());
      for (const id of ids) {
        const what = `/sumdb/${before.own ? names.own : names.official}/lookup/${formatModuleVersion(id)}`;
        if (before.own || before.kept) await mustAnswer(before.own ? company.client : local.client, what, use.signal);
      }
      return ids;
    },
    kill: (voucher) => of[voucher].break("refused"),
    revive: (voucher) => of[voucher].mend(),
    build: async (id, signal) => await build(id, { modules, ...local, isKilled: (one) => of[one].isDown, signal }),
  };
}

type LoopbackAnswer = Parameters<typeof LoopbackUpstream.start>[0]["answer"];

type Running = { readonly client: HttpServerClient; readonly storage: Storage };

/** A server with the operator's settings, but for all by which it would be seen or see beyond this machine. */
async function startServer(
  { config, atEnd, verifyEntry }: SumdbDrillUse,
  own: Partial<Config["values"]> & { readonly store: string },
): Promise<Running> {
  await mkdir(own.store, { recursive: true });
  const values = {
    ...config.values,
    listen: { host: "127.0.0.1", port: 0 },
    workers: 0,
    regions: [],
    private: "",
    "sumlog.key": "",
    "sumlog.listen": "",
    "sumlog.witnesses": [],
    "log.level": "silent",
    "tls.cert": "",
    "tls.key": "",
    "tls.clientCa": "",
    "limiter.profile": "none",
    egress: "direct",
    egressStrict: false,
    egressAudit: false,
    hosts: [],
    logdir: "",
    // Only what a client asks for, so that each version meets the databases as they are then.
    prefetch: false,
    ...own,
  } as const;
  const log = makeLog({ format: "text", level: "silent", write: () => undefined });
  const server = await wire({ config: { ...config, values, upstreams: [], egress: "direct" }, log, verifyEntry });
  atEnd(() => server.close());
  const listener = await listen(values.listen, { handler: server.handler, limits: limitsOf(values), tls: undefined });
  atEnd(() => {
    listener.stop();
    return Promise.resolve();
  });
  server.listening(listener.address, listener.connections);
  const client = new HttpServerClient(`http://${listener.address}`, {
    connections: 8,
    userAgent: `Granary/${version} (drill)`,
    timeoutMs: requestMs,
  });
  atEnd(() => client.close());
  return { client, storage: server.storage };
}

async function mustAnswer(client: HttpServerClient, target: string, signal: AbortSignal): Promise<void> {
  const { status, body } = await client.ask({ method: "GET", target, keepBytes: maxAnswerBytes, signal });
  if (status !== 200) throw new Error(`${target}: ${status} ${Buffer.from(body).toString()}`);
}

type Building = Running & {
  readonly modules: MadeUpModules;
  readonly isKilled: (voucher: Exclude<Voucher, "kept">) => boolean;
  readonly signal: AbortSignal;
};

/** The three files of a version, as go asks for them, and who vouched for them. */
async function build(id: ModuleVersion, { client, storage, modules, isKilled, signal }: Building): Promise<Outcome> {
  const began = systemClock.now();
  const ms = (): number => systemClock.now() - began;
  for (const kind of ["info", "mod", "zip"] as const) {
    const target = targetOf({ id, kind });
    try {
      const { status, body } = await client.ask({ method: "GET", target, keepBytes: maxAnswerBytes, signal });
      const said = Buffer.from(body).toString();
      if (status !== 200) {
        const refusal = code.exec(said)?.[1];
        return refusal === undefined || status < 500
          ? { kind: "wrong", reason: `${status} ${said.split("\n", 1)[0] ?? ""}`, ms: ms() }
          : { kind: "refused", code: refusal, ms: ms() };
      }
      if (!modules.isRight(target, body)) return { kind: "wrong", reason: `${target}: other bytes`, ms: ms() };
    } catch (error) {
      if (!(error instanceof ServerSilent)) throw error;
      return { kind: "wrong", reason: error.message, ms: ms() };
    }
  }
  const key = versionKey(id, "zip.manifest");
  const kept = await storage.get(key, maxManifestBytes);
  const [record] = kept === undefined ? [] : parseZipManifest(key, kept.bytes).records;
  const isOwn = record?.database === names.own;
  const by = record === undefined ? undefined : isOwn ? "own" : isKilled("official") ? "kept" : "official";
  return { kind: "verified", by, ms: ms() };
}
