// The checks of one run, in their order.

import type { VariableName } from "#services/environment/variables.ts";
import { doctorFindings } from "#services/findings/doctor.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { Fix } from "#services/findings/fix.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import type { Check, Examined } from "./check.ts";
import type { Ask, DoctorPorts } from "./ports.ts";
import type { DoctorScene } from "./scene.ts";
import { examineGoproxy, examineModuleMode, examinePrivate, goproxySummary } from "./steps-settings.ts";
import { NetworkSteps } from "./steps-network.ts";

/** `isOffline` changes what the second step may ask; the runner leaves out the others. */
export function stepsOf(scene: DoctorScene, use: DoctorPorts, isOffline: boolean): readonly Check[] {
  const network = new NetworkSteps(scene, use);
  const steps: readonly Check[] = [
    { ...titled("goproxy"), run: now(() => ({ findings: examineGoproxy(scene), summary: goproxySummary(scene) })) },
    { ...titled("chain"), run: (ask) => network.chain(ask, isOffline) },
    { ...titled("private"), run: now(() => ({ findings: examinePrivate(scene) })) },
    { ...titled("module-mode"), run: now(() => ({ findings: examineModuleMode(scene) })) },
    { ...titled("scopes"), run: (ask) => use.scopes(ask) },
    { ...titled("requests"), run: (ask) => network.requests(ask) },
    { ...titled("tls"), run: (ask) => network.tls(ask) },
    { ...titled("http2"), run: (ask) => network.http2(ask) },
    { ...titled("dns-cache"), run: (ask) => network.dnsCache(ask) },
    { ...titled("dns-views"), run: (ask) => network.dnsViews(ask) },
    { ...titled("cache-headers"), run: (ask) => network.cacheHeaders(ask) },
    { ...titled("mirrors"), run: (ask) => network.mirrors(ask) },
    { ...titled("modcache"), run: (ask) => use.modcache(ask) },
    { ...titled("build-list"), run: (ask) => buildList(scene, use, ask) },
  ];
  return steps.map((step) => ({
    ...step,
    run: async (ask) => {
      const examined = await step.run(ask);
      return { ...examined, findings: examined.findings.map((finding) => changeable(finding, scene)) };
    },
  }));
}

/**
 * What the environment says, `go env -w` cannot change: such a fix is one for the terminal, the unit or the job. A value
 * with a password in it is no fix to show anywhere.
 */
function changeable(finding: Finding, { settings: { all } }: DoctorScene): Finding {
  const isOfProcess = (name: string): boolean =>
    (all as Partial<typeof all>)[name as VariableName]?.place.kind === "process";
  const fixes = finding.fixes.flatMap((fix): readonly Fix[] => {
    if (fix.kind !== "set" && fix.kind !== "export") return [fix];
    if (Object.values(fix.values).some((value) => withoutCredentials(value) !== value)) return [];
    return Object.keys(fix.values).some(isOfProcess) ? [{ ...fix, kind: "export" as const }] : [fix];
  });
  return { ...finding, fixes };
}

/** What is known of the checks without a machine: `--list-checks` needs no more. */
export const checkList: readonly Omit<Check, "run">[] = [
  { id: "goproxy", ...settings(true), title: { en: "GOPROXY", "zh-CN": "GOPROXY" } },
  { id: "chain", ...settings(false), title: { en: "chain", "zh-CN": "代理链" } },
  { id: "private", ...settings(true), title: { en: "private modules", "zh-CN": "私有模块" } },
  { id: "module-mode", ...settings(false), title: { en: "module mode", "zh-CN": "模块模式" } },
  { id: "scopes", ...settings(false), title: { en: "scopes", "zh-CN": "作用域" } },
  { id: "requests", ...online(true), title: { en: "requests", "zh-CN": "请求" } },
  { id: "tls", ...online(true), title: { en: "TLS", "zh-CN": "TLS" } },
  { id: "http2", ...online(false), title: { en: "HTTP/2", "zh-CN": "HTTP/2" } },
  { id: "dns-cache", ...online(true), title: { en: "DNS here", "zh-CN": "本机 DNS" } },
  { id: "dns-views", ...online(false), title: { en: "DNS elsewhere", "zh-CN": "外部 DNS" } },
  { id: "cache-headers", ...online(false), title: { en: "caches in between", "zh-CN": "中间缓存" } },
  { id: "mirrors", ...online(false), title: { en: "mirrors", "zh-CN": "镜像" } },
  {
    id: "modcache",
    group: "cache",
    isOnline: false,
    isQuick: true,
    isFull: true,
    title: { en: "module cache", "zh-CN": "模块缓存" },
  },
  {
    id: "build-list",
    group: "cache",
    isOnline: true,
    isQuick: true,
    isFull: false,
    title: { en: "go list -m all", "zh-CN": "go list -m all" },
  },
];

type Kind = Pick<Check, "group" | "isOnline" | "isQuick" | "isFull">;

function settings(isQuick: boolean): Kind {
  return { group: "settings", isOnline: false, isQuick, isFull: true };
}

function online(isQuick: boolean): Kind {
  return { group: "network", isOnline: true, isQuick, isFull: true };
}

function titled(id: Check["id"]): Omit<Check, "run"> {
  const check = checkList.find((each) => each.id === id);
  if (check === undefined) throw new Error(`no check ${id}`);
  return check;
}

function now(look: () => Examined): Check["run"] {
  return () => Promise.resolve(look());
}

const noProject = { en: "no go.mod here", "zh-CN": "此处没有 go.mod" } as const;
const vendored = { en: "a vendor folder: go does not ask", "zh-CN": "有 vendor 目录，go 不会访问网络" } as const;
const noGo = { en: "no go command", "zh-CN": "没有 go 命令" } as const;
/** Of a line of go's that a title quotes. */
const maxLine = 120;

async function buildList({ project, surroundings }: DoctorScene, use: DoctorPorts, ask: Ask): Promise<Examined> {
  if (surroundings.go === undefined) return { findings: [], nothing: noGo };
  if (project === undefined) return { findings: [], nothing: noProject };
  if (project.hasVendor) return { findings: [], nothing: vendored };
  // -mod=readonly: whatever GOFLAGS says, looking changes neither go.mod nor go.sum.
  const args = ["list", "-mod=readonly", "-m", "all"];
  ask.announce(`go ${args.join(" ")}`);
  const end = await use.go(args, ask);
  if (end.kind === "ended" && end.code === 0)
    return { findings: [], summary: String(end.stdout.split("\n").filter((line) => line !== "").length) };
  const lines = withoutCredentials(end.stderr)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const evidence = lines.slice(0, 8).map((text) => ({ kind: "seen", text }) as const);
  const line = (lines[0] ?? end.kind).slice(0, maxLine);
  const known = use.explainError(end.stderr);
  return { findings: known.length > 0 ? known : [found(doctorFindings, "GO_BUILD_LIST", { line }, { evidence })] };
}
