// The examinations of doctor's steps, bound to this machine: each runs within its check's signal and announces what it asks.

import { isIP } from "node:net";
import { resolve } from "node:path";
import { makeRunGo } from "#adapters/system/go-run.ts";
import { dial } from "#adapters/upstream/dial.ts";
import { explainErrors } from "#services/analysers/error-report.ts";
import type { HttpProber } from "#services/analysers/http-ports.ts";
import { compareProtocols } from "#services/analysers/http-protocols.ts";
import { simulate } from "#services/analysers/http-simulate.ts";
import type { SimulateUse } from "#services/analysers/http-simulate.ts";
import type { Ask, DoctorPorts, Place } from "#services/doctor/ports.ts";
import type { DoctorScene } from "#services/doctor/scene.ts";
import { findScopeTrouble } from "#services/environment/scope-findings.ts";
import { newestKnownGo } from "#services/environment/go-versions.ts";
import { valueOf } from "#services/environment/settings.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { crosscheck } from "#services/mirrors/crosscheck.ts";
import type { Machine } from "./go-env.ts";
import { collectScopes } from "./env-scope-files.ts";
import { egressOf, machineProber, memoryProver, rememberedLookup, netrcAuthorization } from "./http-analysers.ts";
import type { HostLookup } from "./http-analysers.ts";
import { modcacheServices } from "./modcache.ts";
import { networkCommands } from "./network.ts";
import { version } from "./version.ts";

export type DoctorUse = {
  readonly machine: Machine;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
  readonly verifyEntry: URL;
  /** Somebody can be asked. */
  readonly isTerminal: boolean;
};

/** Of a request that shows whether a host is there at all. */
const reachMs = 5_000;
/** At most for one request that a check is about. */
const longestMs = 8_000;
/** Of `go list -m all`; the budget ends it sooner. */
const goMs = 120_000;
/** Of the budget for reading a module cache: one of thirteen checks. The versions used last come first. */
const cacheShare = 1 / 13;
/** Requests of the HTTP/2 comparison: few, since every doctor of a company asks the same proxy. */
const rounds = 3;
const atOnce = 10;

export async function doctorPorts(scene: DoctorScene, use: DoctorUse, budgetMs: number): Promise<DoctorPorts> {
  const { machine } = use;
  const settings = goSettingsOf(scene);
  const go = scene.surroundings.go?.version ?? newestKnownGo;
  const lookup = rememberedLookup();
  const [prober, authorizationFor] = await Promise.all([
    machineProber(machine, undefined, lookup),
    netrcAuthorization(machine),
  ]);
  const egress = egressOf(machine);
  // A chain of silent hops is walked twice, for list and .info: it has to come to its end within the budget.
  const hops = valueOf(scene.settings, "GOPROXY").split(/[,|]/).length;
  const stepMs = Math.max(1, Math.round(Math.min(longestMs, (budgetMs * 0.7) / (2 * hops))));
  const zipMs = Math.max(stepMs, Math.round(budgetMs / 2));
  const shared = { prover: memoryProver, settings, version } as const;
  return {
    simulate: async (id, ask) =>
      await simulate(id, {
        ...shared,
        go,
        prober: announcing(prober, ask),
        authorizationFor,
        signal: ask.signal,
        stepMs,
        zipMs,
      }),
    isRelayed: (url) => egress(url) !== undefined,
    reaches: async (place, ask) => await reaches(place, ask, { use, lookup }),
    tls: async ({ host, port }, { signal, announce }) => {
      const network = networkCommands({ machine, signal, onStop: until(signal) });
      const { report, findings } = await network.tls(
        { host, port, servername: undefined, min: undefined, proxy: undefined, timeoutMs: stepMs },
        announce,
      );
      const protocol = [report.protocol, report.alpn].filter((part) => part !== undefined).join(" ");
      return { findings, summary: `${host}${protocol === "" ? "" : `: ${protocol}`}` };
    },
    compareProtocols: async (url, ask) =>
      await compareProtocols(url, {
        prober: announcing(prober, ask),
        version,
        authorization: authorizationFor(new URL(url)),
        signal: ask.signal,
        timeoutMs: stepMs,
        rounds,
        atOnce,
      }),
    nameHere: async (host, { signal, announce }) => {
      const network = networkCommands({ machine, signal, onStop: until(signal) });
      const { report, findings } = await network.dnsWhich({ host, timeoutMs: reachMs }, announce);
      const addresses = report.goAddresses ?? report.system ?? [];
      return { findings, summary: `${host} → ${addresses.slice(0, 2).join(" ")}` };
    },
    nameElsewhere: async (host, { signal, announce }) => {
      const network = networkCommands({ machine, signal, onStop: until(signal) });
      const { findings } = await network.dnsCompare(
        { host, servers: [], doh: [], port: 443, timeoutMs: reachMs },
        announce,
      );
      return { findings };
    },
    crosscheck: async (id, mirrors, ask) =>
      await crosscheck(id, mirrors, {
        ...shared,
        prober: announcing(prober, ask),
        signal: ask.signal,
        timeoutMs: zipMs,
      }),
    scopes: async () => {
      const { files } = await collectScopes(machine, { root: "/", dir: resolve("."), units: [] });
      return { findings: findScopeTrouble(files) };
    },
    modcache: async ({ signal }) => {
      const services = modcacheServices({
        ...use,
        load: () => Promise.reject(new Error("offline")),
        onStop: until(signal),
      });
      const { findings, versions, examined } = await services.examine(
        AbortSignal.any([signal, AbortSignal.timeout(Math.round(budgetMs * cacheShare))]),
      );
      if (examined === 0 && versions > 0) return { findings, nothing: notRead };
      return { findings, summary: `${examined}/${versions}` };
    },
    go: async (args, { signal }) =>
      await makeRunGo()(args, { env: machine.env, cwd: resolve("."), timeoutMs: goMs, signal }),
    explainError: (text) => explainErrors(text).causes.map(({ finding }) => finding),
  };
}

const notRead = { en: "no version could be read in the time", "zh-CN": "时限内未能读取任何版本" } as const;

/** As `go env` would say, from what was read; nothing is run. */
function goSettingsOf({ settings }: DoctorScene): SimulateUse["settings"] {
  return {
    GOPROXY: valueOf(settings, "GOPROXY"),
    GOSUMDB: valueOf(settings, "GOSUMDB"),
    GONOSUMDB: valueOf(settings, "GONOSUMDB"),
    GONOPROXY: valueOf(settings, "GONOPROXY"),
    GOPRIVATE: valueOf(settings, "GOPRIVATE"),
    GOFLAGS: valueOf(settings, "GOFLAGS"),
  };
}

/** Says what is asked before it is asked. */
function announcing(prober: HttpProber, { announce }: Ask): HttpProber {
  const say = (url: string): void => announce(`GET ${withoutCredentials(url)}`);
  return {
    get: async (ask) => (say(ask.url), await prober.get(ask)),
    burst: async (ask, count) => (
      announce(`${count} × GET ${withoutCredentials(ask.url)}`),
      await prober.burst(ask, count)
    ),
  };
}

/** The signal of a check as the commands behind it take it. */
function until(signal: AbortSignal): DoctorUse["onStop"] {
  return (stop) => {
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    return () => signal.removeEventListener("abort", stop);
  };
}

type Reaching = { readonly use: DoctorUse; readonly lookup: HostLookup };

/** A TCP connection to one of its addresses, or to the egress proxy when the host is behind one. */
async function reaches(
  { host, port }: Place,
  { signal, announce }: Ask,
  { use: { machine }, lookup }: Reaching,
): Promise<boolean> {
  const proxy = egressOf(machine)(new URL(`https://${host}:${port}`));
  const at = proxy === undefined ? { host, port } : { host: proxy.hostname, port: Number(proxy.port) || 80 };
  announce(`connect ${at.host}:${at.port}`);
  try {
    const addresses = isIP(at.host) === 0 ? await lookup(at.host) : [at.host];
    (await dial(addresses, { port: at.port, addressTimeoutMs: reachMs, signal })).destroy();
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
