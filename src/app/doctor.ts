// `granary doctor`: what it looks at on this machine, and whom it asks. Each examination is a room's own; here it gets
// this machine's files, network and go command, and the signal and announcements of its check.

import { constants, copyFile, readFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { steadyClock } from "#adapters/system/clock.ts";
import { makeRunGo } from "#adapters/system/go-run.ts";
import type { DoctorDesk, DoctorRequest, DoctorWatch, MendOutcome } from "#doors/cli/doctor-desk.ts";
import { maxGoModBytes, parseGoMod } from "#protocol/gomod.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Step } from "#services/doctor/mend.ts";
import type { DoctorReport } from "#services/doctor/report.ts";
import { runChecks } from "#services/doctor/run.ts";
import { subjectOf } from "#services/doctor/scene.ts";
import { adviseTimeout } from "#services/doctor/timeout.ts";
import type { TimeoutAdvice } from "#services/doctor/timeout.ts";
import type { DoctorScene } from "#services/doctor/scene.ts";
import { checkList, stepsOf } from "#services/doctor/steps.ts";
import { lint } from "#services/environment/lint.ts";
import { settingsOf, valueOf } from "#services/environment/settings.ts";
import type { Settings } from "#services/environment/settings.ts";
import type { Secret } from "#services/findings/redact.ts";
import { isPublicProxy } from "#services/environment/public-proxies.ts";
import { doctorPorts } from "./doctor-ports.ts";
import type { DoctorUse } from "./doctor-ports.ts";
import { modcacheServices } from "./modcache.ts";
import { troubleTools } from "./trouble.ts";
import { readSurroundings } from "./environment.ts";
import { findAbove, isFile } from "./find-above.ts";
import type { Machine } from "./go-env.ts";
import { askYes } from "./question.ts";
import { moduleVersionArgument } from "./module-version-argument.ts";

export function doctorDesk(use: DoctorUse): DoctorDesk {
  return {
    checks: () => checkList,
    examine: async (request, watch) => await examine(request, watch, use),
    adviseTimeout: async (log) => await timeoutAdvice(log, use),
    confirm: async (question) => use.isTerminal && process.stdin.isTTY && (await askYes(question)),
    mend: async (steps) => await mend(steps, use),
  };
}

async function examine(request: DoctorRequest, watch: DoctorWatch, use: DoctorUse): Promise<DoctorReport> {
  const { machine } = use;
  const began = steadyClock.now();
  const scene = await readScene(machine, request.module);
  const secrets = secretsOf(scene.settings, machine);
  watch.onFacts(scene.facts, secrets);
  const stop = new AbortController();
  const leave = use.onStop(() => stop.abort(new Error("asked to stop")));
  try {
    const wanted = new Set(request.checks.map(({ id }) => id));
    const steps = stepsOf(scene, await doctorPorts(scene, use, request.budgetMs), request.isOffline);
    const checks = await runChecks({
      checks: steps.filter(({ id }) => wanted.has(id)),
      budgetMs: request.budgetMs,
      isOffline: request.isOffline,
      signal: stop.signal,
      clock: { now: () => performance.now(), after: (ms) => AbortSignal.timeout(ms) },
      onDone: watch.onDone,
    });
    if (stop.signal.aborted) throw new GranaryError("GRANARY_STOPPED", {});
    return { facts: scene.facts, checks, ms: steadyClock.now() - began, secrets };
  } finally {
    leave();
  }
}

async function timeoutAdvice(log: string | undefined, use: DoctorUse): Promise<TimeoutAdvice> {
  const { machine } = use;
  const settings = settingsOf(await readSurroundings(machine));
  const report = log === undefined ? undefined : await troubleTools(use).explainLog(log);
  const load = (): never => {
    throw new Error("a module cache is counted without settings of ours");
  };
  const { bytes } = await modcacheServices({ ...use, load }).info(undefined);
  return adviseTimeout({
    settings,
    log: report,
    cacheBytes: bytes === 0 ? undefined : bytes,
  });
}

async function readScene(machine: Machine, module: string | undefined): Promise<DoctorScene> {
  const [surroundings, { project, unreadable }] = await Promise.all([readSurroundings(machine), readProject()]);
  const settings = settingsOf(surroundings);
  const facts = {
    go: surroundings.go?.version,
    platform: `${process.platform === "win32" ? "windows" : process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
    module: project?.goMod.path,
  };
  const subject = module === undefined ? subjectOf(project, settings) : moduleVersionArgument(module);
  return { surroundings, settings, linted: lint(surroundings), facts, project, unreadable, subject };
}

type Found = Pick<DoctorScene, "project" | "unreadable">;

/** The module of the working directory. */
async function readProject(): Promise<Found> {
  const file = await findAbove("go.mod");
  if (file === undefined) return { project: undefined };
  try {
    const text = (await readFile(file)).subarray(0, maxGoModBytes);
    const hasVendor = await isFile(join(dirname(file), "vendor", "modules.txt"));
    return { project: { file, goMod: parseGoMod(text), hasVendor } };
  } catch (error) {
    return { project: undefined, unreadable: { file, reason: (error as Error).message.slice(0, maxReason) } };
  }
}

/** Of what a parser or the system says of a file. */
const maxReason = 200;

const hostVariables = [
  "GOPROXY",
  "GOPRIVATE",
  "GONOPROXY",
  "GONOSUMDB",
  "GOSUMDB",
  "HTTPS_PROXY",
  "HTTP_PROXY",
] as const;

/** Names that are this user's own: folders, the user, the machine, hosts of a company. */
function secretsOf(settings: Settings, { home }: Machine): readonly Secret[] {
  const words = hostVariables.flatMap((name) => valueOf(settings, name).split(/[,|\s+]/));
  const hosts = words
    .map((word) =>
      word
        .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
        .replace(/^.*@/, "")
        .replace(/[/:?#].*$/, ""),
    )
    .map((host) => host.replace(/^[*.]+/, "").toLowerCase())
    .filter((host) => /[a-z]/.test(host) && !openHosts.test(host) && !isPublicProxy(`https://${host}`));
  return [
    ...(home === "" ? [] : [{ text: home, instead: "~" }]),
    { text: userName(), instead: "USER" },
    { text: hostname(), instead: "MACHINE" },
    ...[...new Set(hosts)].map((text, i) => ({ text, instead: `HOST-${i + 1}` })),
  ];
}

/** Words of those variables that are nobody's secret. */
const openHosts = /^(?:direct|off|none|localhost|github\.com|gitlab\.com|sum\.golang\.(?:org|google\.cn)|[0-9a-f]{8})$/;

function userName(): string {
  try {
    const { username } = userInfo();
    return /^(?:root|user|runner|admin|code|node)$/.test(username) ? "" : username;
  } catch {
    return ""; // a user id without an entry, as containers have
  }
}

async function mend(
  steps: readonly Step[],
  use: DoctorUse,
): Promise<readonly { readonly step: Step; readonly outcome: MendOutcome }[]> {
  const done: { step: Step; outcome: MendOutcome }[] = [];
  for (const step of steps) done.push({ step, outcome: await apply(step, use) });
  return done;
}

/** `go env -w` takes a moment. */
const mendMs = 30_000;

/** Only settings of go are changed; a plan leaves everything else to people. */
async function apply({ fix }: Step, { machine }: DoctorUse): Promise<MendOutcome> {
  if (fix.kind !== "set") return { kind: "failed", reason: fix.kind };
  try {
    return await setValues(fix.values, machine);
  } catch (error) {
    return { kind: "failed", reason: (error as Error).message };
  }
}

async function setValues(values: Readonly<Record<string, string>>, machine: Machine): Promise<MendOutcome> {
  const surroundings = await readSurroundings(machine);
  const file = surroundings.userFile.kind === "text" ? surroundings.userFile.path : undefined;
  const backup = file === undefined ? undefined : await backUp(file);
  const given = Object.entries(values).filter(([, value]) => value !== "");
  const taken = Object.keys(values).filter((name) => values[name] === "");
  for (const args of [
    ["-w", ...given.map(([name, value]) => `${name}=${value}`)],
    ["-u", ...taken],
  ]) {
    if (args.length === 1) continue;
    const outcome = await goEnv(args, machine);
    if (outcome.kind === "failed") return outcome;
  }
  return { kind: "done", ...(backup !== undefined && { backup }) };
}

async function goEnv(args: readonly string[], { env }: Machine): Promise<MendOutcome> {
  const end = await makeRunGo()(["env", ...args], {
    env,
    cwd: resolve("."),
    timeoutMs: mendMs,
    signal: AbortSignal.timeout(mendMs),
  });
  if (end.kind === "ended" && end.code === 0) return { kind: "done" };
  return { kind: "failed", reason: end.stderr.trim().split("\n")[0] ?? end.kind };
}

/** Beside it, with the time in its name; never over another one. */
async function backUp(file: string): Promise<string> {
  const backup = `${file}.granary-${new Date().toISOString().replaceAll(/[:.]/g, "")}`;
  await copyFile(file, backup, constants.COPYFILE_EXCL);
  return backup;
}
