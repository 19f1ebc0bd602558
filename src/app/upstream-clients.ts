// One client for the whole chain. Upstreams with certificates or an egress of their own get a client of their own;
// headers that the operator configured (credentials, mostly) go to their upstream and nowhere else. All share one
// memory of names.

import { readFileSync } from "node:fs";
import { createSecureContext, getCACertificates } from "node:tls";
import type { PoolCounts } from "#adapters/upstream/connections.ts";
import { DirectUpstreamClient } from "#adapters/upstream/direct.ts";
import { commandEnv, runCommand } from "#adapters/system/command.ts";
import { Places } from "#adapters/upstream/direct-places.ts";
import { FileUpstreamClient } from "#adapters/upstream/file.ts";
import { HttpUpstreamClient } from "#adapters/upstream/http.ts";
import { proxyRule } from "#adapters/upstream/no-proxy.ts";
import { Names } from "#adapters/upstream/names.ts";
import type { Egress } from "#adapters/upstream/pools.ts";
import { anyUpstreamClient } from "#adapters/upstream/select.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { UpstreamClient, UpstreamEndpoint } from "#services/upstreams/ports.ts";
import { hostToReach, parseHosts, proxiesOf } from "./config-egress.ts";
import type { Config, NamedUpstream } from "./config.ts";
import { version } from "./version.ts";

export type ChainClient = UpstreamClient & {
  /** For a witness: through the common egress, like anything that no upstream's own settings speak of. */
  readonly post: HttpUpstreamClient["post"];
  /** Connections of all upstreams, now and so far. */
  connections(): PoolCounts;
};

/** Throws GranaryError when a certificate file cannot be read. */
export function makeUpstreamClient(config: Config, events?: EventSink): ChainClient {
  const names = new Names({ hosts: parseHosts(config.values.hosts) });
  const make = (egress: string, own: Egress): HttpUpstreamClient =>
    new HttpUpstreamClient({
      ...commonOptions(config),
      ...own,
      names,
      proxies: proxiesOf(egress, config.source.machine),
      ...(events && { tell: (event) => events.emit(event) }),
    });
  const common = make(config.egress, {});
  const clients = [common];
  const special = new Map<
    string,
    { readonly client: UpstreamClient; readonly headers: Readonly<Record<string, string>> }
  >();
  for (const upstream of config.upstreams) {
    const { ca, clientCert, egress, headers = {} } = upstream;
    const isCommon = ca === undefined && clientCert === undefined && egress === undefined;
    if (isCommon && upstream.headers === undefined) continue;
    const client = isCommon ? common : make(egress ?? config.egress, certificates(upstream));
    if (!isCommon) clients.push(client);
    special.set(upstream.name, { client, headers });
  }
  void names.keep(hostsAtStart(config));
  const http: UpstreamClient = {
    get: (endpoint: UpstreamEndpoint, request) => {
      const own = special.get(endpoint.name);
      if (own === undefined) return common.get(endpoint, request);
      return own.client.get(endpoint, { ...request, headers: { ...request.headers, ...own.headers } });
    },
    close: async () => {
      names.close();
      await Promise.all(clients.map((client) => client.close()));
    },
  };
  const places = new Places({
    places: config.repositories,
    modules: config.values["direct.modules"],
    cidrs: config.values["direct.cidrs"],
    readPem: ({ prefix }, file) => readPem({ name: prefix, section: "repositories" }, "ca", file),
  });
  const direct = atFirstUse(() => makeDirectClient(config, { places, names, ...(events && { events }) }));
  const any = anyUpstreamClient({ http, file: new FileUpstreamClient(), direct });
  return {
    get: (endpoint, request) => any.get(endpoint, request),
    post: (endpoint, request) => common.post(endpoint, request),
    close: () => any.close(),
    connections: () => sum(clients.map((client) => client.connections)),
  };
}

/** Most servers never ask it: it reads a hundred and fifty roots when it is made. */
function atFirstUse(make: () => UpstreamClient): UpstreamClient {
  let made: UpstreamClient | undefined;
  return {
    get: (endpoint, request) => (made ??= make()).get(endpoint, request),
    close: async () => await made?.close(),
  };
}

type DirectUse = { readonly places: Places; readonly names: Names; readonly events?: EventSink };

/** A token service answers within seconds; a client waits for it as for the repository. */
const goauthMs = 20_000;
/** A thousand tokens; nobody needs more at once. */
const maxGoAuthBytes = 1 << 20;

/** What repositories are read with. */
function makeDirectClient({ values, egress, source }: Config, use: DirectUse): DirectUpstreamClient {
  const secureContext = createSecureContext({ ca: [...getCACertificates("default")] });
  return new DirectUpstreamClient({
    places: use.places,
    goauth: async (argv, input, signal) => {
      const limits = { timeoutMs: goauthMs, maxOutputBytes: maxGoAuthBytes };
      const { code, stdout } = await runCommand({
        argv,
        input,
        ...limits,
        env: commandEnv(source.machine.env),
        signal,
      });
      if (code === 0) return stdout;
      throw new Error(code === null ? "it was ended by a signal" : `it ended with exit code ${code}`);
    },
    names: use.names,
    proxyFor: proxyRule(proxiesOf(egress, source.machine)),
    trust: secureContext,
    proxyTrust: secureContext,
    addressTimeoutMs: values["upstreamClient.connectTimeout"],
    handshakeTimeoutMs: values["upstreamClient.tlsHandshakeTimeout"],
    tell: (event) => use.events?.emit(event),
    limits: {
      timeoutMs: values["direct.timeout"],
      maxBytes: values["direct.maxBytes"],
      maxMemoryBytes: values["direct.maxMemory"],
    },
    jobs: values["direct.jobs"],
    keepMs: values["direct.keep"],
    keepBytes: values["direct.keepBytes"],
    folder: values["direct.folder"],
    env: source.machine.env,
  });
}

function commonOptions({ values }: Config): Egress & { readonly userAgent: string } {
  return {
    userAgent: `Granary/${version} (Go module proxy)`,
    idleConnTimeoutMs: values["upstreamClient.idleConnTimeout"],
    maxIdleConns: values["upstreamClient.maxIdleConns"],
    maxIdleConnsPerHost: values["upstreamClient.maxIdleConnsPerHost"],
    connectTimeoutMs: values["upstreamClient.connectTimeout"],
    tlsHandshakeTimeoutMs: values["upstreamClient.tlsHandshakeTimeout"],
    responseHeaderTimeoutMs: values["upstreamClient.responseHeaderTimeout"],
    bodyIdleTimeoutMs: values["upstreamClient.bodyIdleTimeout"],
    isAudited: values.egressAudit,
  };
}

function certificates(upstream: NamedUpstream): Egress {
  const { ca, clientCert, clientKey } = upstream;
  const of = (field: "ca" | "clientCert" | "clientKey", file: string): string => readPem(upstream, field, file);
  const extraCa = ca === undefined ? {} : { extraCa: [of("ca", ca)] };
  if (clientCert === undefined || clientKey === undefined) return extraCa;
  const clientPair = { cert: of("clientCert", clientCert), key: of("clientKey", clientKey) };
  checkPair(upstream, clientPair);
  return { ...extraCa, clientPair };
}

/** Upstreams that list and settings name now; what a reload adds is resolved when it is asked. */
function hostsAtStart(config: Config): string[] {
  const entries = parseProxyList(config.values.upstream);
  const hosts: string[] = [];
  for (const entry of entries) {
    if (entry.kind !== "url" || !/^https?:/i.test(entry.url) || !URL.canParse(entry.url)) continue;
    const named = config.upstreams.find(({ url }) => url === entry.url);
    const proxies = proxiesOf(named?.egress ?? config.egress, config.source.machine);
    hosts.push(hostToReach(new URL(entry.url), proxies));
  }
  return hosts;
}

function sum(all: readonly PoolCounts[]): PoolCounts {
  const total = { open: 0, idle: 0, waiting: 0, opened: 0, failed: 0, requests: 0, reused: 0 };
  for (const counts of all) for (const key of Object.keys(total) as (keyof PoolCounts)[]) total[key] += counts[key];
  return total;
}

function checkPair(
  { name, clientCert = "" }: NamedUpstream,
  pair: { readonly cert: string; readonly key: string },
): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    throw unusable(`upstreams.${name}.clientCert: ${clientCert}`, error);
  }
}

function readPem(
  { name, section = "upstreams" }: { readonly name: string; readonly section?: string },
  field: string,
  file: string,
): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unusable(`${section}.${name}.${field}: ${file}`, error);
  }
}

function unusable(file: string, error: unknown): GranaryError {
  return new GranaryError("GRANARY_TLS_UNREADABLE", { file, reason: (error as Error).message }, { cause: error });
}
