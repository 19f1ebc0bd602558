import { say } from "#services/errors/say.ts";
import { bytes, count } from "#services/errors/sentences.ts";
import type { PlannedZip } from "#services/prewarm/plan.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { clearLine, fetchFlags, hasTroubles, interrupted, jobsOf, showLine, troubles } from "./fetching.ts";
import { remoteFlags, remoteOf } from "./remote.ts";
import type { CliIo, PlanView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

export const planCommand: CommandSpec = {
  name: "plan",
  about: "command.plan",
  example: "granary plan --from go.mod",
  settings: ["listen", "upstream", "private"],
  flags: [
    { flag: "--from FILE", about: "flag.from" },
    ...fetchFlags,
    { flag: "--sizes", about: "flag.sizes" },
    ...remoteFlags,
    jsonFlag,
  ],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const from = typeof options["from"] === "string" ? options["from"] : "go.mod";
    const request = {
      from,
      all: options["all"] === true,
      sizes: options["sizes"] === true,
      jobs: jobsOf(options),
      at: remoteOf(options),
    };
    const plan = await services.plan(request, settings, (done, phase) =>
      showLine(io, say(io.lang, "plan.working", { phase, done: count(done) })),
    );
    clearLine(io);
    if (plan === undefined) return interrupted;
    if (options["json"] === true) printJson(context, "granary.plan/1", plan);
    else io.stdout(inWords(plan, request.all ? `${from} --all` : from, io));
    return hasTroubles(plan) ? exit.findings : exit.ok;
  },
};

function inWords(plan: PlanView, from: string, io: CliIo): string {
  const { lang } = io;
  const { goMods, zips, directories } = plan;
  const kept = zips.filter((zip) => zip.kept);
  const missing = zips.filter((zip) => !zip.kept);
  const unknown = missing.filter((zip) => zip.bytes === undefined).length;
  const missed = {
    zips: count(missing.length),
    bytes: bytes(sizeOf(missing)),
    unknown: unknown === 0 ? "" : count(unknown),
  };
  const rows = [
    `${say(lang, "plan.kept", { zips: count(kept.length), bytes: bytes(sizeOf(kept)) })}\t${plan.server}`,
    ...(missing.length === 0 ? [] : [`${say(lang, "plan.missing", missed)}\t${say(lang, "plan.from", plan)}`]),
    say(lang, "plan.mods", {
      mods: count(goMods.read),
      kept: count(goMods.kept),
      bytes: bytes(goMods.bytes),
    }),
    ...(directories.length === 0 ? [] : [say(lang, "plan.directories", { count: count(directories.length) })]),
  ];
  const names = plan.names.map(harmless).join(", ");
  const next = missing.length > 0 ? say(lang, "plan.next", { from: harmless(from) }) : say(lang, "plan.ready");
  const lines = table(rows.map((row) => [" ", ...row.split("\t").map(harmless)]));
  const head = say(lang, "plan.head", { names, zips: count(zips.length), mods: count(goMods.read) });
  return `${head}\n${lines}${troubles(plan, io)}${hasTroubles(plan) ? "" : `${next}\n`}`;
}

function sizeOf(zips: readonly PlannedZip[]): number {
  return zips.reduce((sum, zip) => sum + (zip.bytes ?? 0), 0);
}
