import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { count, duration } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { DrillProgress } from "#services/lab/drill.ts";
import { drillScenarios } from "#services/lab/drill-report.ts";
import type { DrillReason, PhaseReport } from "#services/lab/drill-report.ts";
import type { RedundancyReport } from "#services/lab/redundancy.ts";
import { drillFaults } from "#services/lab/ports.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { clearLine, interrupted, showLine } from "./fetching.ts";
import type { CliIo, DrillRequest, DrillView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table } from "./text.ts";

const upstream: CommandSpec = {
  name: "upstream",
  about: "command.drill.upstream",
  example: "granary drill upstream --scenario primary-down",
  settings: ["mode", "upstream"],
  flags: [
    { flag: "--scenario NAME", about: "flag.scenario" },
    { flag: "--fault NAME", about: "flag.fault" },
    { flag: "--requests N", about: "flag.requests" },
    { flag: "--distance MS", about: "flag.distance" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const request = requestOf(call, io);
    let hinted = false;
    const view = await services.drillUpstream(request, call.settings, (progress) => {
      if (!hinted && io.isTerminal) io.stderr(`${say(io.lang, "drill.stop-hint")}\n`);
      hinted = true;
      showLine(io, progressLine(progress, io.lang));
    });
    clearLine(io);
    if (view === undefined) return interrupted;
    if (call.options["json"] === true) printJson(context, "granary.drill/1", view);
    else io.stdout(inWords(view, io));
    return view.reached ? exit.ok : exit.findings;
  },
};

const defaultVersions = 4;

const sumdb: CommandSpec = {
  name: "sumdb",
  about: "command.drill.sumdb",
  example: "granary drill sumdb",
  flags: [{ flag: "--versions N", about: "flag.versions" }, jsonFlag],
  settings: ["mode"],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const { versions } = options;
    const count = versions === undefined ? defaultVersions : integer("--versions", versions, [1, 100]);
    const report = await services.drillSumdb(count, settings, (done, total) =>
      showLine(io, say(io.lang, "tool.working", { done: String(done), total: String(total) })),
    );
    clearLine(io);
    if (report === undefined) return interrupted;
    if (options["json"] === true) printJson(context, "granary.drill.sumdb/1", report);
    else io.stdout(redundancyInWords(report, io));
    return report.reached ? exit.ok : exit.findings;
  },
};

export const drillCommand: CommandSpec = {
  name: "drill",
  about: "command.drill",
  example: "granary drill upstream --scenario primary-down",
  commands: [upstream, sumdb],
};

const defaultRequests = 200;
const defaultDistanceMs = 20;

/** Throws GRANARY_BAD_USAGE without a scenario, GRANARY_BAD_FLAG for values of the wrong form. */
function requestOf({ options }: Call, io: CliIo): DrillRequest {
  const { scenario, fault, requests, distance } = options;
  if (scenario === undefined)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "usage.missing", { argument: "--scenario" }),
      usage: `granary drill upstream --scenario ${drillScenarios.join("|")}`,
    });
  return {
    scenario: oneOf("--scenario", scenario, drillScenarios),
    fault: fault === undefined ? "refused" : oneOf("--fault", fault, drillFaults),
    requests: requests === undefined ? defaultRequests : integer("--requests", requests, [10, 600]),
    distanceMs: distance === undefined ? defaultDistanceMs : integer("--distance", distance, [0, 1000]),
  };
}

function oneOf<T extends string>(flag: string, value: unknown, accepted: readonly T[]): T {
  const known = accepted.find((each) => each === value);
  if (known !== undefined) return known;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag, value: String(value), accepted: accepted.join(" | ") });
}

function integer(flag: string, value: unknown, [least, most]: readonly [number, number]): number {
  const number = /^\d{1,4}$/.test(String(value)) ? Number(value) : -1;
  if (number >= least && number <= most) return number;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag, value: String(value), accepted: `${least} … ${most}` });
}

function progressLine({ phase, done, total }: DrillProgress, lang: Lang): string {
  return say(lang, "drill.working", { phase, done: count(done), total: total === undefined ? "" : count(total) });
}

function inWords(view: DrillView, { lang, isUtf8 }: CliIo): string {
  const { scenario, fault, settings, upstreams, configured } = view;
  const primary = upstreams[0] ?? "";
  const head = say(lang, "drill.head", {
    scenario,
    fault,
    requests: count(view.requests),
    pace: duration(view.paceMs),
    distance: duration(view.distanceMs),
  });
  const inForce = say(lang, "drill.settings", {
    mode: settings.mode,
    silence: duration(settings.silenceMs),
    hedge: settings.hedge,
    probe: settings.probeEveryMs === 0 ? "" : duration(settings.probeEveryMs),
  });
  const tooFew = { configured: count(configured), drilled: count(upstreams.length) };
  const rows = view.phases.map((phase) => phaseRow(phase, lang).map(harmless));
  const times = [
    say(lang, "drill.switch", { time: time(view.switchMs) }),
    say(lang, "drill.avoided", { time: time(view.avoidedMs), primary }),
    say(lang, "drill.recovered", { time: time(view.recoveryMs), primary }),
  ];
  return [
    `${head}\n${inForce}\n`,
    ...(configured < upstreams.length ? [`${say(lang, "drill.too-few", tooFew)}\n`] : []),
    `\n${table([say(lang, "drill.columns").split("\t"), ...rows])}`,
    `\n${table(times.map((line) => line.split("\t")))}`,
    ...(view.isUnsteady ? [`\n${say(lang, "drill.unsteady")}\n`] : []),
    `\n${mark(view.reached ? "ok" : "fail", isUtf8)} ${verdict(view, primary, lang)}\n`,
  ].join("");
}

function phaseRow(report: PhaseReport, lang: Lang): string[] {
  const { phase, requests, failures, averageMs, p50Ms, p95Ms, addedMs, servedBy } = report;
  const by = Object.entries(servedBy).map(([name, answers]) => `${name} ${count(answers)}`);
  return [
    say(lang, "drill.phase", { phase }),
    count(requests),
    count(failures),
    time(averageMs),
    time(p50Ms),
    time(p95Ms),
    addedMs === undefined ? "-" : signed(addedMs),
    by.length === 0 ? "-" : by.join(", "),
  ];
}

function verdict(view: DrillView, primary: string, lang: Lang): string {
  const { addedMs = 0, targetMs, reasons } = view;
  if (view.reached) return say(lang, "drill.reached", { added: signed(addedMs), target: duration(targetMs), primary });
  return say(lang, "drill.missed", { reasons: reasons.map((reason) => harmless(reasonText(reason, primary, lang))) });
}

function reasonText(reason: DrillReason, primary: string, lang: Lang): string {
  switch (reason.kind) {
    case "no-normal":
      return say(lang, "drill.no-normal");
    case "failures": {
      const { failures, requests, first } = reason;
      return say(lang, "drill.failures", { failures: count(failures), requests: count(requests), first });
    }
    case "slow":
      return say(lang, "drill.slow", { added: signed(reason.addedMs), target: duration(reason.targetMs) });
    case "not-recovered":
      return say(lang, "drill.not-recovered", { limit: duration(reason.limitMs), primary });
  }
}

function time(ms: number | undefined): string {
  return ms === undefined ? "-" : duration(ms);
}

function signed(ms: number): string {
  return Math.round(ms) < 0 ? `-${duration(-ms)}` : `+${duration(Math.max(0, ms))}`;
}

function redundancyInWords({ scenes, reached }: RedundancyReport, { lang, isUtf8 }: CliIo): string {
  const rows = scenes.map(({ down, by, versions, verified, refused, failed, first, slowestMs }) => [
    mark(failed === 0 ? "ok" : "fail", isUtf8),
    down.length === 0 ? "-" : down.map((voucher) => say(lang, "redundancy.voucher", { voucher })).join(", "),
    by === undefined ? "-" : say(lang, "redundancy.voucher", { voucher: by }),
    `${verified}/${versions}`,
    String(refused),
    duration(slowestMs),
    first ?? "",
  ]);
  const verdict = say(lang, reached ? "redundancy.reached" : "redundancy.missed");
  return `${table([say(lang, "redundancy.columns").split("\t"), ...rows.map((row) => row.map(harmless))])}\n${mark(reached ? "ok" : "fail", isUtf8)} ${verdict}\n`;
}
