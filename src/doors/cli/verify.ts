// `granary verify`: one version with everything that vouches for it, side by side; or one timed download (`--smoke`).

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import { equalHash } from "#protocol/dirhash.ts";
import type { Origin } from "#protocol/info.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { TracedRequest } from "#services/modcache/download.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { clearLine, showLine } from "./fetching.ts";
import { findingJson, findingsText } from "./findings.ts";
import { vouchFlags, vouchingOf } from "./modcache.ts";
import type { ModuleView, SmokeView } from "./modcache-services.ts";
import { modcacheTexts } from "./modcache-texts.ts";
import type { CliContext, CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { columnsOf, harmless, mark, padEnd, table, terminalColumns, wrap } from "./text.ts";
import { readAge } from "./units.ts";

/** What the documents download to see whether a setting works. */
const smokeModule = "github.com/spf13/cobra@v1.8.0";
/** A small module over a slow link takes some seconds; go itself would wait for ever. */
const defaultSmokeMs = 120_000;

export const verifyCommand: CommandSpec = {
  name: "verify",
  about: "command.verify",
  example: "granary verify golang.org/x/text@v0.21.0 --trace",
  args: ["[MODULE@VERSION]"],
  flags: [
    { flag: "--trace", about: "flag.verify-trace" },
    { flag: "--smoke", about: "flag.verify-smoke" },
    { flag: "--timeout TIME", about: "flag.verify-timeout" },
    ...vouchFlags,
    jsonFlag,
  ],
  run: async (call, context) =>
    call.options["smoke"] === true ? await smoke(call, context) : await one(call, context),
};

async function one(call: Call, context: CliContext): Promise<number> {
  const { io, services } = context;
  const [what] = call.args;
  if (what === undefined)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "usage.missing", { argument: modcacheTexts(io.lang).needsVersion }),
      usage: "granary verify MODULE@VERSION [--trace] [--sum go.sum] | --smoke",
    });
  const view = await (await services.modcache()).module(what, vouchingOf(call));
  const findings = view.damages.map(({ finding }) => finding);
  if (call.options["json"] === true) {
    const found = findings.map((finding) => findingJson(finding, io));
    const { verdict, root, zip, ziphash, files, mod, goSum, recorded, life, questions } = view;
    const facts = { verdict, root, zip, ziphash, files, mod, goSum, recorded, life, questions };
    printJson(context, "granary.verify/1", { what: formatModuleVersion(view.id), ...facts, findings: found });
  } else io.stdout(moduleText(view, io) + (call.options["trace"] === true ? traceText(view, io) : ""));
  const isSound = findings.every(({ severity }) => severity === "info") && view.verdict !== "absent";
  return isSound ? exit.ok : exit.findings;
}

const verdictMarks = { proven: "ok", noted: "ok", alone: "warn", wrong: "fail", absent: "skip" } as const;

function moduleText(view: ModuleView, io: CliIo): string {
  const texts = modcacheTexts(io.lang);
  const title = `${mark(verdictMarks[view.verdict], io.isUtf8)} ${formatModuleVersion(view.id)} ${texts.moduleVerdict[view.verdict]}\n`;
  const findings = findingsText(
    view.damages.map(({ finding }) => finding),
    io,
  );
  const blocks = [hashesText("zip", view, io), hashesText("mod", view, io), lifeText(view, io)];
  return `${title}${blocks.map((block) => (block === "" ? "" : `\n${block}`)).join("")}${findings === "" ? "" : `\n${findings}`}`;
}

type Row = { readonly name: string; readonly hash: string | undefined; readonly note: string };

/** Every hash of one of the two files; each is marked by whether it is the deciding one. */
function hashesText(part: "zip" | "mod", view: ModuleView, io: CliIo): string {
  const texts = modcacheTexts(io.lang);
  const { recorded, goSum } = view;
  const here: Row[] =
    part === "mod"
      ? [{ name: "go.mod", hash: view.mod, note: "" }]
      : [
          { name: "zip", hash: view.zip, note: "" },
          { name: ".ziphash", hash: view.ziphash, note: "" },
          { name: texts.files, hash: view.files, note: "" },
        ];
  const noted: Row[] = goSum[part].map(({ hash, file, line }) => ({
    name: texts.labels.gosum,
    hash,
    note: `${file.slice(file.lastIndexOf("/") + 1)}:${line}`,
  }));
  const database: Row =
    recorded.kind === "recorded"
      ? { name: recorded.database, hash: recorded.sums[part], note: texts.record(count(recorded.number)) }
      : {
          name: "sumdb",
          hash: undefined,
          note: recorded.kind === "unasked" ? texts.unasked[recorded.because] : texts[recorded.kind],
        };
  const rows = [...here, ...noted, database].filter(({ hash, note }) => hash !== undefined || note !== "");
  const columns = Math.max(nameColumns, columnsOf(database.name));
  const truth = database.hash ?? noted[0]?.hash ?? rows.find(({ hash }) => hash !== undefined)?.hash ?? "";
  return rows
    .map(({ name, hash, note }) => {
      const sign = hash === undefined ? "skip" : equalHash(hash, truth) ? "ok" : "fail";
      return `  ${mark(sign, io.isUtf8)} ${padEnd(harmless(name), columns)} ${[hash, harmless(note)].filter(Boolean).join("  ")}\n`;
    })
    .join("");
}

const nameColumns = 14;

function lifeText({ life }: ModuleView, io: CliIo): string {
  const texts = modcacheTexts(io.lang);
  const rows: (readonly [string, string | undefined])[] = [
    [texts.life.time, life.time],
    [texts.life.origin, life.origin && originText(life.origin)],
    [texts.life.cached, life.cachedMs === undefined ? undefined : timeOf(life.cachedMs)],
    [texts.life.used, life.usedMs === undefined ? undefined : timeOf(life.usedMs)],
    [texts.life.newest, life.newest === undefined ? undefined : texts.newest(life.newest)],
    [texts.life.deprecated, life.deprecated && `${life.deprecated.message} (${life.deprecated.by})`],
  ];
  return rows
    .flatMap(([label, text]) =>
      text === undefined
        ? []
        : wrap(harmless(text.slice(0, maxLifeChars)), terminalColumns - lifeIndent - nameColumns - 1).map(
            (line, i) => `${" ".repeat(lifeIndent)}${padEnd(i === 0 ? label : "", nameColumns)} ${line}\n`,
          ),
    )
    .join("");
}

const lifeIndent = 4;
/** Of foreign text. */
const maxLifeChars = 200;

function originText({ vcs = "", url = "", ref = "", hash = "", subdir = "" }: Origin): string {
  return [vcs, url, subdir, ref, hash.slice(0, 12)].filter((part) => part !== "").join(" ");
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function traceText({ questions }: ModuleView, io: CliIo): string {
  const texts = modcacheTexts(io.lang);
  if (questions.length === 0) return `\n${texts.noQuestions}\n`;
  const rows = questions.map(({ route, path, status, ms, proves }) => [
    `  ${harmless(route)}`,
    status === undefined ? mark("skip", io.isUtf8) : String(status),
    duration(ms),
    status === 200 ? texts.proves[proves] : mark("skip", io.isUtf8),
    harmless(path),
  ]);
  return `\n${texts.questions(questions.length)}\n${table(rows)}`;
}

async function smoke(call: Call, context: CliContext): Promise<number> {
  const { io, services } = context;
  const what = call.args[0] ?? smokeModule;
  const { timeout } = call.options;
  const timeoutMs = typeof timeout === "string" ? readAge("--timeout", timeout) : defaultSmokeMs;
  showLine(io, modcacheTexts(io.lang).smoking(harmless(what)));
  const view = await (await services.modcache()).smoke(what, timeoutMs);
  clearLine(io);
  if (call.options["json"] === true)
    printJson(context, "granary.smoke/1", { ...view, findings: view.findings.map((each) => findingJson(each, io)) });
  else io.stdout(smokeText(view, io));
  return view.findings.length === 0 ? exit.ok : exit.findings;
}

function smokeText(view: SmokeView, io: CliIo): string {
  const texts = modcacheTexts(io.lang);
  const kinds = [...new Set(view.requests.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const of = view.requests.filter((request) => request.kind === kind);
    const times = of.map(({ ms }: TracedRequest) => ms ?? 0);
    const sum = times.reduce((all, ms) => all + ms, 0);
    return [`  ${texts.smokeKind[kind]}`, count(of.length), duration(sum), duration(Math.max(...times))];
  });
  const [first = "", ...columns] = texts.smokeColumns;
  const phases = rows.length === 0 ? "" : `${table([[`  ${first}`, ...columns], ...rows])}\n`;
  const settings = `GOPROXY=${harmless(view.proxy)}\nGOSUMDB=${harmless(view.sumdb)}\n\n`;
  const failed = view.findings.some(({ severity }) => severity === "fail");
  const verdict = failed
    ? texts.smokeFailed(duration(view.ms))
    : texts.smokeOk(harmless(view.what), duration(view.ms), bytes(view.bytes));
  const findings = findingsText(view.findings, io);
  return `${settings}${phases}${findings === "" ? "" : `${findings}\n`}${verdict}\n`;
}
