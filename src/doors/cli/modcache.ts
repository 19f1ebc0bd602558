// `granary modcache`: what lies in go's module cache, whether it is sound, and how it gets smaller.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import { cacheFindings } from "#services/findings/cache.ts";
import { found } from "#services/findings/finding.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { RepairPlan } from "#services/modcache/repair.ts";
import type { Refreshed } from "#services/modcache/refresh.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandFlag, CommandSpec } from "./command.ts";
import { clearLine, interrupted, showLine } from "./fetching.ts";
import { findingJson, findingsText } from "./findings.ts";
import type { GcView, InfoView, RefreshView, VerifyView, Vouching } from "./modcache-services.ts";
import { modcacheTexts } from "./modcache-texts.ts";
import type { CliContext, CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, padEnd, table } from "./text.ts";
import { readAge, readSize } from "./units.ts";

export const cacheFlag: CommandFlag = { flag: "--cache DIR", about: "flag.modcache-dir" };
export const vouchFlags: readonly CommandFlag[] = [
  { flag: "--sum FILE", about: "flag.modcache-sum", isList: true },
  { flag: "--offline", about: "flag.modcache-offline" },
  cacheFlag,
];

const info: CommandSpec = {
  name: "info",
  about: "command.modcache.info",
  example: "granary modcache info",
  flags: [cacheFlag, jsonFlag],
  run: async (call, context) => {
    const view = await (await context.services.modcache()).info(textOption(call, "cache"));
    if (call.options["json"] === true) printJson(context, "granary.modcache/1", view);
    else context.io.stdout(infoText(view, context.io));
    return exit.ok;
  },
};

function infoText(view: InfoView, { lang }: CliIo): string {
  const texts = modcacheTexts(lang);
  const { labels } = texts;
  const title = `${harmless(view.root)}   (${texts.origin[view.origin]})\n`;
  if (!view.isThere) return `${title}${texts.notThere}\n`;
  const { zips, trees, temps, vcs, oldestMs, newestMs } = view;
  const versions = [view.modules, view.versions, zips.count, view.modsOnly, trees.count] as const;
  const [modules, all, zipped, modsOnly, extracted] = versions.map(count) as [string, string, string, string, string];
  const rows: (readonly [string, string])[] = [
    [labels.size, texts.size(bytes(view.bytes), bytes(zips.bytes), bytes(trees.bytes))],
    [labels.versions, texts.versions(modules, all, zipped, modsOnly, extracted)],
    ...(oldestMs === undefined || newestMs === undefined
      ? []
      : ([[labels.used, texts.used(dayOf(oldestMs), dayOf(newestMs))]] as const)),
    ...view.sumdb.map(
      ({ database, lookups, tiles, bytes: size }) =>
        [labels.sumdb, `${database}   ${texts.sumdb(count(lookups), count(tiles), bytes(size))}`] as const,
    ),
    ...view.heads.map(({ database, treeSize }) => [labels.head, `${database}   ${count(treeSize)}`] as const),
    ...(vcs.count === 0 ? [] : ([[labels.vcs, texts.vcs(count(vcs.count), bytes(vcs.bytes))]] as const)),
    [labels.left, texts.left(count(view.partials), count(temps.count), bytes(temps.bytes), count(view.locks))],
    ...(view.isReadOnly ? ([[labels.access, texts.readOnly]] as const) : []),
  ];
  const body = rows.map(([label, text]) => `  ${padEnd(label, labelColumns)}${harmless(text)}\n`).join("");
  const cut = view.isCutShort ? `${texts.cutShort}\n` : "";
  return `${title}\n${body}\n${cut}${texts.asProxy}\n  GOPROXY=${harmless(view.fileProxy)}\n`;
}

const labelColumns = 11;

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

const verify: CommandSpec = {
  name: "verify",
  about: "command.modcache.verify",
  example: "granary modcache verify --sum go.sum",
  args: ["[MODULE@VERSION...]"],
  flags: [
    { flag: "--all", about: "flag.modcache-all" },
    ...vouchFlags,
    { flag: "--fix", about: "flag.modcache-fix" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const texts = modcacheTexts(io.lang);
    const isJson = call.options["json"] === true;
    const versions = call.options["all"] === true ? [] : call.args;
    const request = { ...vouchingOf(call), versions, fixes: call.options["fix"] === true };
    const view = await (
      await services.modcache()
    ).verify(request, {
      progress: (done, total) => showLine(io, texts.verifying(count(done), count(total))),
      plan: (planned) => {
        clearLine(io);
        if (!isJson) io.stdout(`${damagesText(planned, io)}${planText(planned.plan, io)}`);
      },
    });
    clearLine(io);
    if (isJson) printJson(context, "granary.modcache.verify/1", verifyJson(view, io));
    else io.stdout(verifyText(view, context, request.fixes));
    if (view.isCutShort) return interrupted;
    return isSound(view) ? exit.ok : exit.findings;
  },
};

/** What was mended is no finding any more. */
function isSound({ damages, repair, absent }: VerifyView): boolean {
  const open = damages.filter(({ finding }) => finding.severity !== "info");
  if (repair === undefined) return open.length === 0 && absent.length === 0;
  const mended = open.every((damage) => damage.parts.length > 0 || damage.files.length > 0);
  return mended && repair.left.length === 0 && absent.length === 0;
}

export function vouchingOf(call: Call): Vouching {
  return {
    cache: textOption(call, "cache"),
    goSums: listOf(call.options["sum"]),
    isOffline: call.options["offline"] === true,
  };
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function damagesText({ damages }: VerifyView, io: CliIo): string {
  const text = findingsText(
    damages.map(({ finding }) => finding),
    io,
  );
  return text === "" ? "" : `${text}\n`;
}

function verifyText(view: VerifyView, { io }: CliContext, wasToFix: boolean): string {
  const texts = modcacheTexts(io.lang);
  const { repair, vouched, damages } = view;
  const summary =
    view.versions === 0 && view.absent.length === 0
      ? texts.empty(harmless(view.root))
      : texts.verified(count(view.versions), count(vouched.database), count(vouched.goSum), count(vouched.nobody));
  const absent = view.absent.map((what) => `${texts.absent(harmless(what))}\n`).join("");
  if (repair !== undefined) {
    const left = findingsText(
      repair.left.map(({ finding }) => finding),
      io,
    );
    const others = count(repair.files + repair.lists);
    return `${left}${absent}${summary}\n${texts.fixed(repair.repaired.length, others)}\n`;
  }
  const wrong = damages.filter(({ finding }) => finding.severity !== "info").length;
  const verdict = wrong === 0 ? texts.sound : texts.damaged(wrong);
  const canMend = view.plan.units.length + view.plan.files.length + view.plan.lists.length > 0;
  const hint = !canMend ? "" : wasToFix && view.isReadOnly ? `${texts.readOnlyNoFix}\n` : `${texts.fixHint}\n`;
  return `${damagesText(view, io)}${absent}${summary}${texts.space}${verdict}\n${hint}`;
}

function planText({ units, files, lists }: RepairPlan, { lang }: CliIo): string {
  const texts = modcacheTexts(lang);
  const rows = [
    ...units.map(({ id, parts }) => [`  ${formatModuleVersion(id)}`, parts.join(", ")]),
    ...(files.length === 0 ? [] : [[`  ${texts.planTemps(count(files.length))}`]]),
    ...lists.map((path) => [`  ${path}`, texts.planList]),
  ].map((row) => row.map(harmless));
  return `${texts.planTitle}\n${table(rows)}\n`;
}

function verifyJson({ damages, plan, repair, ...view }: VerifyView, io: CliIo): object {
  const withId = ({ id, parts }: { id: Parameters<typeof formatModuleVersion>[0]; parts: readonly string[] }) => ({
    what: formatModuleVersion(id),
    parts,
  });
  return {
    ...view,
    findings: damages.map(({ finding }) => findingJson(finding, io)),
    removes: { ...plan, units: plan.units.map(withId) },
    ...(repair && {
      repair: {
        ...repair,
        repaired: repair.repaired.map(withId),
        left: repair.left.map(({ finding }) => findingJson(finding, io)),
      },
    }),
  };
}

const gc: CommandSpec = {
  name: "gc",
  about: "command.modcache.gc",
  example: "granary modcache gc --max-size 5GB --older-than 30d --dry-run",
  flags: [
    { flag: "--max-size SIZE", about: "flag.modcache-max-size" },
    { flag: "--older-than AGE", about: "flag.modcache-older-than" },
    { flag: "--keep FILE", about: "flag.modcache-keep", isList: true },
    { flag: "--dry-run", about: "flag.dry-run" },
    cacheFlag,
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const isJson = call.options["json"] === true;
    const [size, age] = [textOption(call, "maxSize"), textOption(call, "olderThan")];
    if (size === undefined && age === undefined)
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: modcacheTexts(io.lang).gcNeedsRule }),
        usage: gc.example,
      });
    const request = {
      cache: textOption(call, "cache"),
      maxBytes: size === undefined ? undefined : readSize("--max-size", size),
      unusedMs: age === undefined ? undefined : readAge("--older-than", age),
      keep: listOf(call.options["keep"]),
      isDryRun: call.options["dryRun"] === true,
    };
    const view = await (
      await services.modcache()
    ).gc(request, (planned) => {
      if (!isJson) io.stdout(gcPlanText(planned, io));
    });
    if (isJson) printJson(context, "granary.modcache.gc/1", { ...view, isDryRun: request.isDryRun });
    else io.stdout(gcDoneText(view, io));
    return view.plan.over > 0 || view.report?.hasNoLocks === true ? exit.findings : exit.ok;
  },
};

/** Versions named in a report for people. */
const maxShown = 20;

function gcPlanText({ plan }: GcView, { lang }: CliIo): string {
  const texts = modcacheTexts(lang);
  const { leaving } = plan;
  const freed = leaving.reduce((sum, each) => sum + each.bytes, 0);
  if (leaving.length === 0) return `${texts.gcNothing(count(plan.versions), bytes(plan.bytes))}\n`;
  const rows = leaving
    .slice(0, maxShown)
    .map(({ id, bytes: size, reason, usedMs }) => [
      harmless(formatModuleVersion(id)),
      bytes(size),
      texts.gcReason[reason],
      dayOf(usedMs),
    ]);
  const more = leaving.length - maxShown;
  const sum = texts.gcPlan(count(leaving.length), count(plan.versions), bytes(freed), bytes(plan.bytes));
  return `${table([texts.gcColumns, ...rows])}${more > 0 ? `${texts.gcMore(count(more))}\n` : ""}\n${sum}\n`;
}

function gcDoneText({ plan, report, root }: GcView, io: CliIo): string {
  const texts = modcacheTexts(io.lang);
  const spared = plan.recent + plan.kept === 0 ? "" : `${texts.gcSpared(plan.recent, plan.kept)}\n`;
  const over = plan.over === 0 ? "" : `${texts.gcOver(bytes(plan.over))}\n`;
  if (report === undefined) return spared + over;
  const busy = report.busy.length === 0 ? "" : `${texts.gcBusy(report.busy.length)}\n`;
  const noLocks = report.hasNoLocks ? noLocksText(root, io) : "";
  return `${noLocks}${texts.gcDone(count(report.removed.length), bytes(report.freed))}\n${busy}${spared}${over}`;
}

function noLocksText(root: string, io: CliIo): string {
  return findingsText([found(cacheFindings, "CACHE_NO_LOCKS", { root })], io);
}

const refresh: CommandSpec = {
  name: "refresh",
  about: "command.modcache.refresh",
  example: "granary modcache refresh --module golang.org/x/text@v0.21.0",
  flags: [
    { flag: "--module MODULE@VERSION", about: "flag.modcache-module", isList: true },
    { flag: "--all", about: "flag.modcache-refresh-all" },
    cacheFlag,
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const texts = modcacheTexts(io.lang);
    const versions = listOf(call.options["module"]);
    if ((call.options["all"] === true) === versions.length > 0)
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: "--module | --all" }),
        usage: "granary modcache refresh --module MODULE@VERSION | --all",
      });
    showLine(io, texts.downloading);
    const view = await (
      await services.modcache()
    ).refresh({ cache: textOption(call, "cache"), versions }, (done, total) =>
      showLine(io, texts.refreshing(count(done), count(total))),
    );
    clearLine(io);
    if (call.options["json"] === true) printJson(context, "granary.modcache.refresh/1", refreshJson(view));
    else io.stdout(refreshText(view, io));
    if (view.wasInterrupted) return interrupted;
    return view.failures.length > 0 || view.versions.some(isLeft) ? exit.findings : exit.ok;
  },
};

function isLeft({ verdict }: Refreshed): boolean {
  return verdict === "busy" || verdict === "no-locks";
}

function refreshJson(view: RefreshView): object {
  const versions = view.versions.map(({ id, ...rest }) => ({ what: formatModuleVersion(id), ...rest }));
  return { ...view, versions };
}

function refreshText(view: RefreshView, { lang }: CliIo): string {
  const texts = modcacheTexts(lang);
  const rows = view.versions
    .filter(({ verdict }) => verdict !== "same")
    .map(({ id, verdict, parts }) => [
      harmless(formatModuleVersion(id)),
      texts.refreshVerdict[verdict],
      parts.join(", "),
    ]);
  const changed = view.versions.filter(({ verdict }) => verdict === "replaced" || verdict === "new").length;
  const failures = view.failures.map(({ what, reason }) => `${harmless(what)}: ${harmless(reason)}\n`).join("");
  const sum = texts.refreshed(count(view.versions.length), bytes(view.bytes), duration(view.ms), changed);
  return `${table(rows)}${failures}${sum}\n`;
}

export const modcacheCommand: CommandSpec = {
  name: "modcache",
  about: "command.modcache",
  example: "granary modcache verify",
  commands: [info, verify, gc, refresh],
};
