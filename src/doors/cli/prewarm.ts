import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import type { Pass, Progress } from "#services/prewarm/prewarm.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { clearLine, fetchFlags, hasTroubles, interrupted, jobsOf, showLine, troubles } from "./fetching.ts";
import { remoteFlags, remoteOf } from "./remote.ts";
import type { CliIo, PrewarmRequest, PrewarmView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

export const prewarmCommand: CommandSpec = {
  name: "prewarm",
  about: "command.prewarm",
  example: "granary prewarm --from go.mod",
  settings: ["listen"],
  flags: [
    { flag: "--from WHAT", about: "flag.from-any" },
    ...fetchFlags,
    { flag: "--platform OS/ARCH", about: "flag.platform", isList: true },
    { flag: "--of URL", about: "flag.of" },
    ...remoteFlags,
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const request = requestOf(call, io);
    let hinted = false;
    const report = await services.prewarm(request, call.settings, (progress) => {
      if (!hinted && io.isTerminal) io.stderr(`${say(io.lang, "prewarm.stop-hint")}\n`);
      hinted = true;
      showLine(io, progressLine(progress, io));
    });
    clearLine(io);
    if (call.options["json"] === true) printJson(context, "granary.prewarm/1", report);
    else io.stdout(inWords(report, io));
    if (report.wasInterrupted) return interrupted;
    return hasTroubles(report) ? exit.findings : exit.ok;
  },
};

function requestOf({ options }: Call, io: CliIo): PrewarmRequest {
  const { from, of, platform } = options;
  if (typeof from !== "string")
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "usage.missing", { argument: "--from" }),
      usage: "granary prewarm --from go.mod|go.work|go.sum|LIST|DIR|top:N",
    });
  return {
    from,
    all: options["all"] === true,
    platforms: Array.isArray(platform) ? (platform as string[]) : [],
    of: typeof of === "string" ? of : undefined,
    jobs: jobsOf(options),
    at: remoteOf(options),
  };
}

function progressLine(progress: Progress, io: CliIo): string {
  const { phase, done, total, ms } = progress;
  const left = done === 0 ? 0 : ((total - done) * ms) / done;
  return say(io.lang, "prewarm.working", {
    phase,
    done: count(done),
    total: count(total),
    bytes: bytes(progress.bytes),
    rate: bytes(ms === 0 ? 0 : (progress.bytes * 1000) / ms),
    left: duration(left),
  });
}

function inWords(report: PrewarmView, io: CliIo): string {
  const { lang } = io;
  const done = say(lang, "prewarm.done", {
    files: count(report.files),
    server: report.server,
    bytes: bytes(report.bytes),
    time: duration(report.ms),
    interrupted: report.wasInterrupted,
  });
  const rows = [
    say(lang, "prewarm.columns").split("\t"),
    passRow(say(lang, "prewarm.before"), report.before),
    ...(report.after.answers === 0 ? [] : [passRow(say(lang, "prewarm.after"), report.after)]),
  ];
  return `${done}\n${table(rows.map((row) => [" ", ...row]))}${troubles(report, io)}`;
}

function passRow(name: string, { answers, hits, p95Ms }: Pass): string[] {
  const share = answers === 0 ? "-" : `${Math.floor((hits * 1000) / answers) / 10} %`;
  return [name, count(answers), share, p95Ms < 1 ? "<1 ms" : harmless(duration(p95Ms))];
}
