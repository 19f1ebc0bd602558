// Commands that tend the store: gc, fsck, scrub, rollback.

import { say } from "#services/errors/say.ts";
import { bytes, count } from "#services/errors/sentences.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { GcRule } from "#services/tending/gc.ts";
import { gcOrders } from "#services/tending/gc.ts";
import { jsonFlag, printJson, textOption, whichIndex } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import type { CliContext } from "./services.ts";
import { harmless, table } from "./text.ts";
import { readAge, readSize } from "./units.ts";

/** Lines of a list that people read; the JSON has more. */
const shownLines = 20;

const gc: CommandSpec = {
  name: "gc",
  about: "command.store.gc",
  example: "granary store gc --max-size 5GB --older-than 30d --dry-run",
  settings: whichIndex,
  flags: [
    { flag: "--max-size SIZE", about: "flag.gc-max-size" },
    { flag: "--older-than AGE", about: "flag.gc-older-than" },
    { flag: "--order ORDER", about: "flag.gc-order" },
    { flag: "--private", about: "flag.gc-private" },
    { flag: "--own-uses-only", about: "flag.gc-own-uses" },
    { flag: "--dry-run", about: "flag.dry-run" },
    jsonFlag,
  ],
  run: async ({ options, settings }, context) => {
    const { io } = context;
    const rule = gcRule(options);
    const isDryRun = options["dryRun"] === true;
    const request = { rule, isDryRun, byOwnUses: options["ownUsesOnly"] === true };
    const report = await context.services.storeGc(request, settings, (evicted, freed) =>
      progress(context, say(io.lang, "gc.running", { evicted: count(evicted), freed: bytes(freed) })),
    );
    cleared(context);
    if (options["json"] === true) printJson(context, "granary.store.gc/1", report);
    else {
      const rows = report.listed
        .slice(0, shownLines)
        .map(({ module, version, bytes: size, reason, usedMs }) => [
          harmless(`${module}@${version}`),
          bytes(size),
          say(io.lang, "gc.reason", { reason }),
          new Date(usedMs).toISOString().slice(0, 10),
        ]);
      if (rows.length > 0) io.stdout(table([say(io.lang, "gc.columns").split("\t"), ...rows]));
      if (report.evicted > rows.length)
        io.stdout(`${say(io.lang, "list.more", { more: count(report.evicted - rows.length) })}\n`);
      io.stdout(
        `${say(io.lang, "gc.done", {
          isDryRun,
          evicted: count(report.evicted),
          freed: bytes(report.freed),
          left: bytes(report.bytesBefore - report.freed),
          spared: report.spared === 0 ? undefined : count(report.spared),
          over: report.over === 0 ? undefined : bytes(report.over),
        })}\n`,
      );
    }
    return report.over === 0 ? exit.ok : exit.findings;
  },
};

function gcRule(options: Readonly<Record<string, unknown>>): Partial<GcRule> {
  const [maxSize, olderThan, order] = ["maxSize", "olderThan", "order"].map((name) => textOption({ options }, name));
  const found = gcOrders.find((one) => one === order);
  if (order !== undefined && found === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag: "--order",
      value: order,
      accepted: gcOrders.join(", "),
    });
  // A rule that is given here stands alone: what the settings say of the other half is for the server.
  const isGiven = maxSize !== undefined || olderThan !== undefined;
  return {
    ...(isGiven && { maxBytes: undefined, unusedMs: undefined }),
    ...(maxSize !== undefined && { maxBytes: readSize("--max-size", maxSize) }),
    ...(olderThan !== undefined && { unusedMs: readAge("--older-than", olderThan) }),
    ...(found !== undefined && { order: found }),
    takesPrivate: options["private"] === true,
  };
}

const fsck: CommandSpec = {
  name: "fsck",
  about: "command.store.fsck",
  example: "granary store fsck --deep --repair",
  settings: whichIndex,
  flags: [
    { flag: "--deep", about: "flag.fsck-deep" },
    { flag: "--repair", about: "flag.fsck-repair" },
    { flag: "--rebuild", about: "flag.fsck-rebuild" },
    jsonFlag,
  ],
  run: async ({ options, settings }, context) => {
    const { io } = context;
    const repairs = options["repair"] === true;
    const request = { repairs, isDeep: options["deep"] === true, rebuilds: options["rebuild"] === true };
    const report = await context.services.storeFsck(request, settings, (versions, read) =>
      progress(context, say(io.lang, "fsck.running", { versions: count(versions), bytes: bytes(read) })),
    );
    cleared(context);
    const left = report.findings.filter(({ isMended }) => !isMended || !repairs).length + report.more;
    if (options["json"] === true) printJson(context, "granary.store.fsck/1", { ...report, repaired: repairs });
    else {
      const rows = report.findings.map(({ key, kind, problem, isMended }) => [
        say(io.lang, "fsck.kind", { kind }),
        harmless(key),
        say(io.lang, "fsck.mended", { isMended, repairs }),
        harmless(problem),
      ]);
      if (rows.length > 0) io.stdout(table(rows));
      if (report.more > 0) io.stdout(`${say(io.lang, "list.more", { more: count(report.more) })}\n`);
      const { versions, evicted } = report;
      io.stdout(
        `${say(io.lang, "fsck.done", {
          versions: count(versions),
          evicted: evicted === 0 ? undefined : count(evicted),
          bytes: request.isDeep ? bytes(report.bytes) : undefined,
          findings:
            report.findings.length + report.more === 0 ? undefined : count(report.findings.length + report.more),
          left: left === 0 ? undefined : count(left),
          repairs,
          indexed: report.indexed === undefined ? undefined : count(report.indexed),
        })}\n`,
      );
    }
    return left === 0 ? exit.ok : exit.findings;
  },
};

const scrub: CommandSpec = {
  name: "scrub",
  about: "command.store.scrub",
  example: "granary store scrub --rate 20MB",
  settings: whichIndex,
  flags: [{ flag: "--rate SIZE", about: "flag.scrub-rate" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io } = context;
    const rate = textOption({ options }, "rate");
    const bytesPerSecond = rate === undefined ? 0 : readSize("--rate", rate);
    const report = await context.services.storeScrub({ bytesPerSecond }, settings, (versions, read) =>
      progress(context, say(io.lang, "fsck.running", { versions: count(versions), bytes: bytes(read) })),
    );
    cleared(context);
    if (options["json"] === true) printJson(context, "granary.store.scrub/1", report);
    else {
      if (report.damages.length > 0)
        io.stdout(table(report.damages.map(({ key, problem }) => [harmless(key), harmless(problem)])));
      const damaged = report.damaged === 0 ? undefined : count(report.damaged);
      const facts = { versions: count(report.versions), bytes: bytes(report.bytes), damaged };
      io.stdout(`${say(io.lang, "scrub.done", facts)}\n`);
    }
    return report.damaged === 0 ? exit.ok : exit.findings;
  },
};

const rollback: CommandSpec = {
  name: "rollback",
  about: "command.store.rollback",
  example: "granary store rollback example.com/m@v1.2.0 --sha256 5f70…",
  args: ["MODULE@VERSION"],
  settings: whichIndex,
  flags: [
    { flag: "--sha256 HEX", about: "flag.rollback-sha256" },
    { flag: "--from FILE", about: "flag.rollback-from" },
    jsonFlag,
  ],
  run: async ({ args, options, settings }, context) => {
    const { io } = context;
    const sha256 = textOption({ options }, "sha256");
    if (sha256 === undefined || !/^[0-9a-f]{64}$/i.test(sha256))
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: "the sha256 of the zip that shall be put back is needed, 64 hexadecimal digits",
        usage: "granary store rollback MODULE@VERSION --sha256 HEX [--from FILE]",
      });
    const request = { what: args[0] ?? "", sha256, from: textOption({ options }, "from") };
    const report = await context.services.storeRollback(request, settings);
    if (options["json"] === true) printJson(context, "granary.store.rollback/1", report);
    else
      io.stdout(
        `${say(io.lang, "rollback.done", { what: harmless(`${report.module}@${report.version}`), from: report.from })}\n`,
      );
    return exit.ok;
  },
};

export const tendingCommands: readonly CommandSpec[] = [gc, fsck, scrub, rollback];

function progress({ io }: CliContext, line: string): void {
  if (io.isTerminal) io.stderr(`\r${line}\u001b[K`);
}

function cleared({ io }: CliContext): void {
  if (io.isTerminal) io.stderr("\r\u001b[K");
}
