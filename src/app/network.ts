// `granary tls` and `granary dns`: the analysers with this machine's network.

import { getServers } from "node:dns";
import { writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, tmpdir } from "node:os";
import { domainToASCII } from "node:url";
import { systemClock } from "#adapters/system/clock.ts";
import { runChild } from "#adapters/system/child.ts";
import { dnsTransport } from "#adapters/system/dns-transport.ts";
import { askGoBuild } from "#adapters/system/go-build.ts";
import { systemNames } from "#adapters/system/system-names.ts";
import { tlsProber } from "#adapters/system/tls-probe.ts";
import { trustStore } from "#adapters/system/trust-files.ts";
import type { Announce, FlushView, NetworkCommands, TlsCall } from "#doors/cli/network-view.ts";
import { compareDns } from "#services/analysers/dns-compare.ts";
import { planFlush } from "#services/analysers/dns-flush.ts";
import { whichDns } from "#services/analysers/dns-which.ts";
import { exportRoots } from "#services/analysers/export-root.ts";
import type { Clock, DnsServer } from "#services/analysers/ports.ts";
import { examineTls } from "#services/analysers/tls-exam.ts";
import type { TlsUse } from "#services/analysers/tls-exam.ts";
import type { TlsTarget } from "#services/analysers/tls-report.ts";
import { installFixes } from "#services/analysers/trust-install.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Machine } from "./go-env.ts";
import { egressOf } from "./http-analysers.ts";

type Use = {
  /** Ends a look; without it a person's Ctrl-C ends the program. */
  readonly signal?: AbortSignal | undefined;
  readonly machine: Machine;
  readonly onStop: (stop: () => void) => () => void;
  readonly clock?: Clock;
};

export function networkCommands({ machine, signal: given, onStop, clock = systemClock }: Use): NetworkCommands {
  // Looking changes nothing and each wait is bounded: alone, a person's Ctrl-C simply ends the program.
  const look = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    await work(given ?? new AbortController().signal);
  const tlsUse = (announce: Announce, timeoutMs: number | undefined): TlsUse => ({
    prober: tlsProber(),
    names: systemNames(),
    trust: trustStore(machine),
    clock,
    announce,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const tls: NetworkCommands["tls"] = async (call, announce) =>
    await look((signal) => examineTls(targetOf(call, machine), tlsUse(announce, call.timeoutMs), signal));
  const dnsUse = (announce: Announce, timeoutMs: number | undefined) => ({
    transport: dnsTransport(),
    names: systemNames(),
    prober: tlsProber(),
    announce,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  return {
    tls,
    dnsWhich: async ({ host, timeoutMs }, announce) => {
      const target = {
        host: asciiName(host),
        platform: machine.platform,
        env: machine.env,
        hostname: hostname(),
        systemRoot: machine.env["SystemRoot"] ?? "C:\\Windows",
        go: await askGoBuild(machine.env),
        servers: systemServers(),
      };
      return await look((signal) => whichDns(target, dnsUse(announce, timeoutMs), signal));
    },
    dnsCompare: async ({ host, servers, doh, port, timeoutMs }, announce) => {
      const chosen = servers.length === 0 ? usualServers() : servers.map(readServer);
      const target = { host: asciiName(host), servers: chosen, doh: doh.map(readDoh), port };
      return await look((signal) => compareDns(target, dnsUse(announce, timeoutMs), signal));
    },
    dnsFlush: async (runs, announce) => {
      const plans = await planFlush(machine.platform, systemNames());
      if (!runs) return { caches: plans.map((plan) => ({ ...plan, ran: undefined })) };
      return await stoppable(onStop, async (signal) => {
        const caches: FlushView["caches"][number][] = [];
        for (const plan of plans) {
          const ran: Ran[] = [];
          for (const fix of plan.fixes) {
            const argv = asRoot(fix);
            announce(argv.join(" "));
            ran.push(await runFlush(argv, machine.env, signal));
          }
          caches.push({ ...plan, ran });
        }
        return { caches };
      });
    },
    exportRoot: async ({ out, ...call }, announce) => {
      const report = await tls(call, announce);
      const roots = exportRoots(report.report);
      if (out !== undefined && roots !== undefined) await writeNew(out, roots.pem);
      const family = await trustStore(machine).family();
      return { report, roots, fixes: installFixes(family, out ?? "granary-root.crt") };
    },
  };
}

type Ran = { readonly code: number; readonly said: string };

/** Restarting a service takes some seconds, and says a line. */
const flushMs = 20_000;
const maxFlushBytes = 64 * 1024;

/** A command that cannot be started, or does not end, ends with -1. */
async function runFlush(
  [program = "", ...args]: readonly string[],
  env: Machine["env"],
  signal: AbortSignal,
): Promise<Ran> {
  const bounds = { cwd: tmpdir(), env, timeoutMs: flushMs, maxOutputBytes: maxFlushBytes, signal };
  const end = await runChild(program, args, bounds);
  const said = (end.stderr || end.stdout).trim();
  if (end.kind === "ended") return { code: end.code ?? -1, said };
  return { code: -1, said: end.kind === "unstartable" ? end.error.message : `no end in ${flushMs / 1_000} s` };
}

/** `-n`: sudo that would ask for a password fails instead of waiting. */
function asRoot({ argv, asRoot: needsRoot }: FlushView["caches"][number]["fixes"][number]): readonly string[] {
  return needsRoot === true && process.getuid?.() !== 0 ? ["sudo", "-n", ...argv] : argv;
}

/** Names of other scripts as the DNS has them. Throws GRANARY_BAD_FLAG. */
function asciiName(host: string): string {
  const name = domainToASCII(host.replace(/\.$/, ""));
  const isName = name.length <= 253 && name.split(".").every((label) => /^[\w-]{1,63}$/.test(label));
  if (!isName || isIP(name) !== 0)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "HOST", value: host, accepted: "goproxy.cn" });
  return name;
}

function readServer(text: string): DnsServer {
  const server = serverOf(text);
  if (server !== undefined) return server;
  const accepted = "8.8.8.8, 10.1.1.10:5353, [::1]:53";
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--servers", value: text, accepted });
}

function serverOf(text: string): DnsServer | undefined {
  const [, six, four, port = "53"] = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = six ?? four ?? text;
  const isGood = isIP(host) !== 0 && Number(port) >= 1 && Number(port) <= 65_535;
  return isGood ? { host, port: Number(port) } : undefined;
}

function readDoh(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === "https:") return text;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--doh", value: text, accepted: "https://doh.pub/dns-query" });
}

/** What libc is set to ask; of Windows what its interfaces are set to. */
function systemServers(): DnsServer[] {
  return getServers()
    .map(serverOf)
    .filter((server) => server !== undefined);
}

/** Two inside China, two outside: names that are filtered differ between them. */
const wellKnown = ["223.5.5.5", "114.114.114.114", "8.8.8.8", "1.1.1.1"];

function usualServers(): DnsServer[] {
  const own = systemServers();
  return [
    ...own,
    ...wellKnown.filter((host) => !own.some((one) => one.host === host)).map((host) => ({ host, port: 53 })),
  ];
}

/** A command that runs is ended with us, and its result told. */
async function stoppable<T>(onStop: Use["onStop"], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const leave = onStop(() => stop.abort());
  try {
    return await work(stop.signal);
  } finally {
    leave();
  }
}

function targetOf({ host, port, servername, min, proxy }: TlsCall, machine: Machine): TlsTarget {
  const chosen = proxy === "direct" ? undefined : (proxy ?? proxyOfMachine(host, port, machine));
  if (chosen !== undefined && !/^https?:\/\/./.test(chosen))
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag: "--proxy",
      value: chosen,
      accepted: "http://HOST:PORT, direct",
    });
  return { host, port, servername, min, proxy: chosen };
}

/** HTTPS_PROXY and NO_PROXY as go reads them; a value that go cannot read is none. */
function proxyOfMachine(host: string, port: number, machine: Machine): string | undefined {
  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return URL.canParse(url) ? egressOf(machine)(new URL(url))?.href : undefined;
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new GranaryError("GRANARY_FILE_EXISTS", { file }, { cause: error });
    throw error;
  }
}
