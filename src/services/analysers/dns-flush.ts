// `granary dns flush`: what keeps DNS answers on this machine, and the command that makes it forget them. Go itself keeps
// none: neither the go command nor a program's resolver has a cache.

import type { Fix } from "#services/findings/fix.ts";
import type { SystemNames } from "./ports.ts";

export type DnsCache =
  "systemd-resolved" | "nscd" | "dnsmasq" | "NetworkManager" | "unbound" | "mDNSResponder" | "Windows";

export type FlushPlan = { readonly cache: DnsCache; readonly fixes: readonly Extract<Fix, { kind: "run" }>[] };

/** What runs leaves one of these behind. */
const traces: readonly (readonly [DnsCache, readonly string[], readonly (readonly string[])[]])[] = [
  [
    "systemd-resolved",
    ["/run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/resolv.conf"],
    [["resolvectl", "flush-caches"]],
  ],
  ["nscd", ["/run/nscd/socket", "/var/run/nscd/socket"], [["nscd", "-i", "hosts"]]],
  [
    "dnsmasq",
    ["/run/dnsmasq/dnsmasq.pid", "/run/dnsmasq.pid", "/var/run/dnsmasq.pid"],
    [["systemctl", "restart", "dnsmasq"]],
  ],
  ["NetworkManager", ["/run/NetworkManager/dnsmasq.pid"], [["nmcli", "general", "reload", "dns-full"]]],
  ["unbound", ["/run/unbound.pid", "/var/run/unbound/unbound.pid"], [["unbound-control", "flush_zone", "."]]],
];

/** Empty when nothing on this machine keeps answers. */
export async function planFlush(platform: string, names: Pick<SystemNames, "exists">): Promise<readonly FlushPlan[]> {
  if (platform === "darwin")
    return [
      {
        cache: "mDNSResponder",
        fixes: [run(["dscacheutil", "-flushcache"]), run(["killall", "-HUP", "mDNSResponder"])],
      },
    ];
  if (platform === "win32") return [{ cache: "Windows", fixes: [{ kind: "run", argv: ["ipconfig", "/flushdns"] }] }];
  const plans: FlushPlan[] = [];
  for (const [cache, paths, commands] of traces) {
    const there = await Promise.all(paths.map((path) => names.exists(path)));
    if (there.includes(true)) plans.push({ cache, fixes: commands.map(run) });
  }
  return plans;
}

function run(argv: readonly string[]): Extract<Fix, { kind: "run" }> {
  return { kind: "run", argv, asRoot: true };
}
