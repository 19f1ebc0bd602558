// Tree heads of checksum databases: those of clients, those that a file pins, those that are kept; and what go itself
// will do with a database.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { isGood } from "#services/sumdb/trusted.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { remoteFlags, remoteOf } from "./remote.ts";
import type { SumdbExplanation, SumdbRouteView, SumdbStatus } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table } from "./text.ts";

/** What decides which databases there are, and how they are reached. */
const settings = ["store", "sumdb", "upstream", "listen"] as const;

const importHeads: CommandSpec = {
  name: "import",
  about: "command.sumdb.heads.import",
  example: "granary sumdb heads import ~/go/pkg/sumdb --cache ~/go/pkg/mod",
  args: ["DIR|FILE|-"],
  settings,
  flags: [{ flag: "--cache GOMODCACHE", about: "flag.sumdb-cache" }, ...remoteFlags, jsonFlag],
  run: async ({ args, options, settings }, context) => {
    const { io, services } = context;
    const cache = typeof options["cache"] === "string" ? options["cache"] : undefined;
    const request = { from: args[0] ?? "", cache, at: remoteOf(options) };
    const items = await services.sumdbHeadsImport(request, settings);
    if (options["json"] === true) printJson(context, "granary.sumdb.heads/1", { items });
    else {
      const rows = items.map(({ database = "-", treeSize, ourSize, verdict, reason = "", from }) =>
        [
          database,
          sizeIn(treeSize, "-"),
          from,
          say(io.lang, "sumdb.offer", { verdict, reason, ours: sizeIn(ourSize) }),
        ].map(harmless),
      );
      io.stdout(table([say(io.lang, "sumdb.offer.columns").split("\t"), ...rows]));
    }
    return items.every(({ verdict }) => verdict === "newest" || verdict === "agrees") ? exit.ok : exit.findings;
  },
};

const heads: CommandSpec = {
  name: "heads",
  about: "command.sumdb.heads",
  example: "granary sumdb heads import ~/go/pkg/sumdb",
  commands: [importHeads],
};

const pin: CommandSpec = {
  name: "pin",
  about: "command.sumdb.pin",
  example: "granary sumdb pin > trusted.sumdb",
  settings: [...whichStore, "sumdb"],
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const { text, pins, without } = await services.sumdbPin(settings);
    if (options["json"] === true) printJson(context, "granary.sumdb.pin/1", { items: pins, without });
    else if (pins.length > 0) io.stdout(text);
    if (without.length > 0) io.stderr(`${say(io.lang, "sumdb.pin.none", { databases: without.join(", ") })}\n`);
    return pins.length > 0 ? exit.ok : exit.findings;
  },
};

const verify: CommandSpec = {
  name: "verify",
  about: "command.sumdb.verify",
  example: "granary sumdb verify --trusted trusted.sumdb",
  settings: [...whichStore, "sumdb", "upstream"],
  flags: [{ flag: "--trusted FILE", about: "flag.sumdb-trusted" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const file = options["trusted"];
    if (typeof file !== "string")
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: "--trusted" }),
        usage: "granary sumdb verify --trusted FILE",
      });
    const items = await services.sumdbVerifyTrusted(file, settings);
    const bad = items.filter((item) => !isGood(item)).length;
    if (options["json"] === true) printJson(context, "granary.sumdb.trusted/1", { items });
    else {
      const rows = items.map((item) =>
        [
          mark(isGood(item) ? "ok" : "fail", io.isUtf8),
          item.database,
          sizeIn(item.pinned, "-"),
          sizeIn(item.ours, "-"),
          say(io.lang, "sumdb.pin.verdict", {
            verdict: item.verdict,
            ours: sizeIn(item.ours),
            reason: item.reason ?? "",
          }),
        ].map(harmless),
      );
      io.stdout(table([say(io.lang, "sumdb.pin.columns").split("\t"), ...rows]));
      const all = { count: items.length };
      const sum = bad === 0 ? say(io.lang, "sumdb.pin.good", all) : say(io.lang, "sumdb.pin.bad", { ...all, bad });
      io.stdout(`${sum}\n`);
    }
    return bad === 0 ? exit.ok : exit.findings;
  },
};

const status: CommandSpec = {
  name: "status",
  about: "command.sumdb.status",
  example: "granary sumdb status",
  settings,
  flags: [...remoteFlags, jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const found = await services.sumdbStatus(remoteOf(options), settings);
    if (options["json"] === true) printJson(context, "granary.sumdb.status/1", found);
    else if (found.databases.length === 0) io.stdout(`${say(io.lang, "sumdb.status.none")}\n`);
    else io.stdout(found.databases.map((database) => statusText(database, found, io)).join("\n"));
    return found.databases.some(({ alarms }) => alarms.length > 0) ? exit.findings : exit.ok;
  },
};

type Terminal = { readonly lang: Lang; readonly isUtf8: boolean };

function statusText(database: SumdbStatus["databases"][number], all: SumdbStatus, io: Terminal): string {
  const { name, keyId, newest, serving, records, tiles, tileBytes, alarms, routes } = database;
  const ageOf = (atMs: number | undefined): string => (atMs === undefined ? "" : age(Math.max(0, all.nowMs - atMs)));
  const facts = say(io.lang, "sumdb.status", {
    name,
    keyId,
    newest: sizeIn(newest?.size),
    age: ageOf(newest?.atMs),
    serving: sizeIn(serving),
    records: count(records),
    tiles: count(tiles),
    bytes: bytes(tileBytes),
    alarms: alarms.map((id) => id.slice(0, 12)),
  });
  const rows = routes.map(({ route, verdict, treeSize, atMs, reason = "", condition = "" }) => {
    const words = { verdict, size: sizeIn(treeSize), age: ageOf(atMs), reason };
    return [`    ${markOf(verdict, io)}`, route, condition, say(io.lang, "sumdb.status.route", words)].map(harmless);
  });
  const title = say(io.lang, "sumdb.status.routes", { isRunning: all.isRunning });
  return `${facts}\n  ${title}\n${table(rows)}`;
}

const hourMs = 3_600_000;

/** As duration(), for what may be days old. */
function age(ms: number): string {
  if (ms < 2 * hourMs) return duration(ms);
  return ms < 48 * hourMs ? `${Math.round(ms / hourMs)} h` : `${Math.round(ms / (24 * hourMs))} d`;
}

const markOfVerdict = { agrees: "ok", silent: "warn", refused: "fail", forked: "fail", unasked: "skip" } as const;

function markOf(verdict: SumdbRouteView["verdict"], { isUtf8 }: Terminal): string {
  return mark(markOfVerdict[verdict], isUtf8);
}

const explain: CommandSpec = {
  name: "explain",
  about: "command.sumdb.explain",
  example: "granary sumdb explain --env GOPROXY=off example.com/m@v1.0.0",
  args: ["[M@V]"],
  flags: [{ flag: "--env FILE|KEY=VALUE", about: "flag.sumdb-env", isList: true }, jsonFlag],
  run: async ({ args, options }, context) => {
    const { io, services } = context;
    const env = Array.isArray(options["env"]) ? (options["env"] as string[]) : [];
    const found = await services.sumdbExplain({ env, module: args[0] });
    if (options["json"] === true) printJson(context, "granary.sumdb.explain/1", found);
    else io.stdout(explanation(found, io.lang));
    return found.outcome.kind === "verified" ? exit.ok : exit.findings;
  },
};

function explanation(found: SumdbExplanation, lang: Lang): string {
  const { settings, origin, ignored, steps, module = "" } = found;
  const rows = Object.entries(settings).map(([name, value]) => [name, harmless(value)]);
  const asked = steps.map(({ question, answer }, n) => [
    `${n + 1}. ${say(lang, "sumdb.explain.question", { question, module })}`,
    say(lang, "sumdb.explain.answer", { answer }),
    say(lang, "sumdb.explain.note", { question, answer }),
  ]);
  return [
    `${say(lang, "sumdb.explain.origin", { origin })}\n${table(rows)}`,
    ...(ignored.length === 0 ? [] : [`${say(lang, "sumdb.explain.ignored", { names: ignored.join(", ") })}\n`]),
    table(asked),
    outcomeText(found, lang),
  ].join("\n");
}

function outcomeText({ outcome, steps, module = "" }: SumdbExplanation, lang: Lang): string {
  switch (outcome.kind) {
    case "verified": {
      const { database, ways } = outcome;
      const isOfficial = steps.some(({ question, answer }) => question === "official" && answer);
      const rows = ways.map(({ via, url, next }, n) => [
        `  ${n + 1}. ${harmless(url)}`,
        say(lang, "sumdb.explain.way", { via, next }),
      ]);
      const head = say(lang, "sumdb.explain.verified", { database, isOfficial });
      return `${head}\n${table(rows)}\n${say(lang, "sumdb.explain.then", { database })}\n`;
    }
    case "unverified":
      return `${say(lang, "sumdb.explain.unverified", { because: outcome.because })}\n`;
    case "refused": {
      const { of, sentence } = outcome;
      return `${say(lang, "sumdb.explain.refused", { of, sentence: harmless(sentence), module })}\n`;
    }
  }
}

/** A number of records; `none` when there is none. */
function sizeIn(size: number | undefined, none = ""): string {
  return size === undefined ? none : count(size);
}

export const headCommands: readonly CommandSpec[] = [heads, pin, verify, status, explain];
