// `granary tls` and `granary dns`: the analysers with this machine's network.

import { writeFile } from "node:fs/promises";
import { systemClock } from "#adapters/system/clock.ts";
import { systemNames } from "#adapters/system/system-names.ts";
import { tlsProber } from "#adapters/system/tls-probe.ts";
import { trustStore } from "#adapters/system/trust-files.ts";
import { proxyRule } from "#adapters/upstream/no-proxy.ts";
import type { Announce, NetworkCommands, TlsCall } from "#doors/cli/network.ts";
import { exportRoots } from "#services/analysers/export-root.ts";
import type { Clock } from "#services/analysers/ports.ts";
import { examineTls } from "#services/analysers/tls-exam.ts";
import type { TlsUse } from "#services/analysers/tls-exam.ts";
import type { TlsTarget } from "#services/analysers/tls-report.ts";
import { installFixes } from "#services/analysers/trust-install.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Machine } from "./go-env.ts";

type Use = {
  readonly machine: Machine;
  readonly onStop: (stop: () => void) => () => void;
  readonly clock?: Clock;
};

export function networkCommands({ machine, onStop, clock = systemClock }: Use): NetworkCommands {
  const tlsUse = (announce: Announce, timeoutMs: number | undefined): TlsUse => ({
    prober: tlsProber(),
    names: systemNames(),
    trust: trustStore(machine),
    clock,
    announce,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const tls: NetworkCommands["tls"] = async (call, announce) =>
    await stoppable(onStop, (signal) => examineTls(targetOf(call, machine), tlsUse(announce, call.timeoutMs), signal));
  return {
    tls,
    exportRoot: async ({ out, ...call }, announce) => {
      const report = await tls(call, announce);
      const roots = exportRoots(report.report);
      if (out !== undefined && roots !== undefined) await writeNew(out, roots.pem);
      const family = await trustStore(machine).family();
      return { report, roots, fixes: installFixes(family, out ?? "granary-root.crt") };
    },
  };
}

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
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--proxy", value: chosen, accepted: "http://HOST:PORT, direct" });
  return { host, port, servername, min, proxy: chosen };
}

/** HTTPS_PROXY and NO_PROXY as go reads them; a value that go cannot read is none. */
function proxyOfMachine(host: string, port: number, { env }: Machine): string | undefined {
  const read = (name: string): string => [env[name], env[name.toLowerCase()]].find((value) => value) ?? "";
  try {
    const rule = proxyRule({ https: read("HTTPS_PROXY"), no: read("NO_PROXY") });
    return rule(new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`))?.href;
  } catch {
    return undefined;
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new GranaryError("GRANARY_FILE_EXISTS", { file }, { cause: error });
    throw error;
  }
}
