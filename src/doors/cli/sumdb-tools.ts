// Commands that ask checksum databases: `sumdb preload`, `sumdb lookup`, `sumverify`, `sumgopher`.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { count, duration } from "#services/errors/sentences.ts";
import type { Examination, Step } from "#services/sumdb/examine.ts";
import { isWrong, type CheckedLine, type GoSumsReport } from "#services/sumtools/go-sums.ts";
import type { Round } from "#services/sumtools/gopher.ts";
import { jsonFlag, printJson, type Call, type CommandFlag, type CommandSpec, whichStore } from "./command.ts";
import { clearLine, interrupted, jobsOf, showLine } from "./fetching.ts";
import { formatJunit } from "./junit.ts";
import { exit, type CliIo, type PreloadView, type SumdbPlace } from "./services.ts";
import { harmless, mark, table } from "./text.ts";

/** Settings that say where databases are asked, and what is kept private. */
const settings = [...whichStore, "upstream", "private", "sumdb"];

const placeFlags: readonly CommandFlag[] = [
  { flag: "--db DIR", about: "flag.tool-db" },
  { flag: "--mirror URL", about: "flag.tool-mirror" },
];

const preload: CommandSpec = {
  name: "preload",
  about: "command.sumdb.preload",
  example: "granary sumdb preload --from go.sum",
  settings,
  flags: [
    { flag: "--range RANGE", about: "flag.range", isList: true },
    { flag: "--from FILE", about: "flag.preload-from", isList: true },
    ...placeFlags,
    { flag: "--jobs N", about: "flag.jobs" },
    jsonFlag,
  ],
  run: async ({ options, settings: flags }, context) => {
    const { io, services } = context;
    const [ranges, from] = [listOf(options["range"]), listOf(options["from"])];
    if (ranges.length + from.length === 0)
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: "--range, --from" }),
        usage: "granary sumdb preload --range PATH@v1.8.0:latest | --from go.sum | --from go.mod",
      });
    const report = await services.sumdbPreload(
      { ranges, from, ...placeOf(options), jobs: jobsOf(options) },
      flags,
      progressOf(io),
    );
    clearLine(io);
    if (options["json"] === true) printJson(context, "granary.sumdb.preload/1", report);
    else io.stdout(preloadInWords(report, io));
    if (report.wasInterrupted) return interrupted;
    return report.failures.length + report.unreadable.length > 0 ? exit.findings : exit.ok;
  },
};

const lookup: CommandSpec = {
  name: "lookup",
  about: "command.sumdb.lookup",
  example: "granary sumdb lookup golang.org/x/text@v0.21.0 --verify",
  args: ["MODULE@VERSION"],
  settings,
  flags: [
    { flag: "--verify", about: "flag.lookup-verify" },
    { flag: "--offline", about: "flag.tool-offline" },
    ...placeFlags,
    jsonFlag,
  ],
  run: async ({ args, options, settings: flags }, context) => {
    const { io, services } = context;
    const request = { ...placeOf(options), isOffline: options["offline"] === true };
    const seen = await services.sumdbLookup(args[0] ?? "", request, flags);
    if (options["json"] === true) printJson(context, "granary.sumdb.lookup/1", seen);
    else io.stdout(lookupInWords(seen, options["verify"] === true, io));
    return seen.steps.every(({ verdict }) => verdict === "ok") ? exit.ok : exit.findings;
  },
};

export const sumverifyCommand: CommandSpec = {
  name: "sumverify",
  about: "command.sumverify",
  example: "granary sumverify go.sum",
  args: ["[FILE...]"],
  settings,
  flags: [
    { flag: "--all DIR", about: "flag.sumverify-all" },
    { flag: "--offline", about: "flag.tool-offline" },
    ...placeFlags,
    { flag: "--jobs N", about: "flag.jobs" },
    { flag: "--junit FILE", about: "flag.junit" },
    jsonFlag,
  ],
  singleDash: true,
  run: async (call, context) => {
    const { io, services } = context;
    const { args: files, options } = call;
    const [all, junit] = [textOf(options["all"]), textOf(options["junit"])];
    if (files.length === 0 && all === undefined)
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: "FILE" }),
        usage: "granary sumverify go.sum | granary sumverify --all DIR",
      });
    const isOffline = options["offline"] === true;
    const request = { files, all, isOffline, ...placeOf(options), jobs: jobsOf(options) };
    const report = await services.sumverify(request, call.settings, progressOf(io));
    clearLine(io);
    if (junit !== undefined) await services.writeReport(junit, formatJunit(report));
    if (options["json"] === true) printJson(context, "granary.sumverify/1", report);
    else io.stdout(sumsInWords(report, io));
    return sumsExit(report);
  },
};

/** Milliseconds of `10m`, `30s`, `1h`. */
const everyUnits = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
const defaultEvery = "10m";
/** Databases are other people's. */
const minEveryMs = 10_000;

export const sumgopherCommand: CommandSpec = {
  name: "sumgopher",
  about: "command.sumgopher",
  example: "granary sumgopher --from go.sum --every 10m",
  settings,
  flags: [
    { flag: "--from FILE", about: "flag.sumgopher-from", isList: true },
    { flag: "--every TIME", about: "flag.every" },
    { flag: "--once", about: "flag.once" },
    ...placeFlags,
    { flag: "--jobs N", about: "flag.jobs" },
    jsonFlag,
  ],
  singleDash: true,
  run: async ({ options, settings: flags }, context) => {
    const { io, services } = context;
    const everyMs = options["once"] === true ? undefined : everyOf(textOf(options["every"]) ?? defaultEvery);
    const request = { from: listOf(options["from"]), ...placeOf(options), jobs: jobsOf(options), everyMs };
    const last = await services.sumgopher(request, flags, (round) => {
      if (options["json"] === true) io.stdout(`${JSON.stringify({ schema: "granary.sumgopher/1", ...round })}\n`);
      else io.stdout(roundInWords(round, io));
    });
    if (everyMs !== undefined) return exit.ok;
    if (last === undefined) return interrupted;
    return last.failures.length > 0 || last.heads.some(({ treeSize }) => treeSize === undefined)
      ? exit.findings
      : exit.ok;
  },
};

export const toolCommands: readonly CommandSpec[] = [preload, lookup];

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

function placeOf(options: Call["options"]): SumdbPlace {
  return { db: textOf(options["db"]), mirror: textOf(options["mirror"]) };
}

/** Throws GRANARY_BAD_FLAG. */
function everyOf(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const ms = unit === "" ? 0 : Number(number) * everyUnits[unit as keyof typeof everyUnits];
  if (ms >= minEveryMs) return ms;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--every", value: text, accepted: "10s … (10m, 1h)" });
}

function progressOf(io: CliIo): (done: number, total: number) => void {
  return (done, total) => showLine(io, say(io.lang, "tool.working", { done: count(done), total: count(total) }));
}

function preloadInWords(report: PreloadView, io: CliIo): string {
  const { lang } = io;
  const rows = report.failures.map(({ what, code, reason }) => [`  ${what}`, code, reason].map(harmless));
  return [
    ...report.databases.map(
      ({ name, treeSize }) =>
        `${say(lang, "tool.tree", { name: harmless(name), size: treeSize === undefined ? "-" : count(treeSize) })}\n`,
    ),
    `${say(lang, "preload.done", {
      wanted: count(report.wanted),
      fetched: count(report.fetched),
      kept: count(report.kept),
      private: report.private,
    })}\n`,
    ...report.unreadable.map((what) => `${say(lang, "preload.unreadable", { what: harmless(what) })}\n`),
    ...(rows.length === 0 ? [] : [`${say(lang, "fetch.failures", { count: count(rows.length) })}\n`, table(rows)]),
  ].join("");
}

const marks = { ok: "ok", failed: "fail", unknown: "warn", unchecked: "skip" } as const;

function lookupInWords(seen: Examination, isWhole: boolean, io: CliIo): string {
  const { lang } = io;
  const { database, route, number, text = "", treeSize } = seen;
  const head = say(lang, "lookup.head", {
    database: harmless(database),
    number: number === undefined ? "?" : count(number),
    size: treeSize === undefined ? "?" : count(treeSize),
    route: harmless(route),
  });
  const told: Record<Step["name"], string> = {
    record: say(lang, "lookup.record"),
    signature: say(lang, "lookup.signature", { database: harmless(database) }),
    inclusion: say(lang, "lookup.inclusion"),
    consistency: say(lang, "lookup.consistency", {
      accepted: count(seen.accepted),
      newest: count(seen.newest ?? 0),
    }),
  };
  const steps = seen.steps
    .filter(({ verdict }) => isWhole || verdict !== "ok")
    .map(({ name, verdict, reason }) => [
      mark(marks[verdict], io.isUtf8),
      say(lang, "lookup.step", { name }),
      verdict === "ok" ? told[name] : harmless(reason ?? say(lang, "lookup.unchecked")),
    ]);
  return `${head}\n${text.split("\n").map(harmless).join("\n")}${steps.length === 0 ? "" : table(steps)}`;
}

function sumsInWords(report: GoSumsReport, io: CliIo): string {
  const { lang } = io;
  const lines = report.lines.flatMap((line) => {
    if (line.verdict === "ok" || line.verdict === "private") return [];
    const place = `${line.file}:${line.line}`;
    const said = say(lang, "sumverify.verdict", { verdict: line.verdict });
    if (line.recorded === undefined) return [`${place}: ${said}: ${line.what}${reasonOf(line)}`];
    const { hash, database, number } = line.recorded;
    return [
      `${place}: ${said}: ${line.what}`,
      `  ${say(lang, "sumverify.here")} ${line.hash ?? ""}`,
      `  ${say(lang, "sumverify.recorded", { database, number: count(number) })} ${hash}`,
    ];
  });
  const tally = (verdict: CheckedLine["verdict"]): number =>
    report.lines.filter((line) => line.verdict === verdict).length;
  const wrong = report.lines.filter(isWrong).length;
  const total = say(lang, "sumverify.done", {
    files: report.files.length,
    lines: count(report.lines.length),
    ok: count(tally("ok")),
    wrong,
    unverified: tally("unverified"),
    private: tally("private"),
  });
  return `${[...lines, total].map(harmless).join("\n")}\n`;
}

function reasonOf({ verdict, reason }: CheckedLine): string {
  return reason === undefined || verdict === "malformed" ? "" : ` (${reason})`;
}

/** What is wrong weighs more than what nobody could tell. */
function sumsExit(report: GoSumsReport): number {
  if (report.lines.some(isWrong)) return exit.findings;
  if (report.wasInterrupted) return interrupted;
  return report.lines.some(({ verdict }) => verdict === "unverified") ? exit.failed : exit.ok;
}

function roundInWords(round: Round, { lang }: CliIo): string {
  const heads = round.heads.map(
    ({ database, treeSize }) => `${database} ${treeSize === undefined ? "-" : count(treeSize)}`,
  );
  const troubles = [
    ...round.heads.flatMap(({ database, troubles: each }) => each.map((trouble) => `${database}: ${trouble}`)),
    ...round.failures.map(({ what, code, reason }) => `${what}: ${code}: ${reason}`),
  ];
  const said = say(lang, "sumgopher.round", {
    heads: heads.join(", "),
    wanted: count(round.wanted),
    fetched: count(round.fetched),
    failed: count(round.failures.length),
    time: duration(round.ms),
  });
  return `${[said, ...troubles.map((trouble) => `  ${trouble}`)].map(harmless).join("\n")}\n`;
}
