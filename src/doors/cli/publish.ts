import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { remoteFlags, remoteOf } from "./remote.ts";
import type { CliIo, PublishRequest, PublishView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

/** Lines of one list on a screen; --json has all. */
const maxShown = 40;

export const publishCommand: CommandSpec = {
  name: "publish",
  about: "command.publish",
  example: "granary publish v1.2.3 --token env:TOKEN",
  args: ["DIR|TAG"],
  settings: ["listen"],
  flags: [
    { flag: "--version VERSION", about: "flag.publish-version" },
    { flag: "--module PATH", about: "flag.module" },
    { flag: "--repo DIR", about: "flag.repo" },
    { flag: "--dry-run", about: "flag.publish-dry" },
    ...remoteFlags,
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io, services } = context;
    const isJson = call.options["json"] === true;
    const view = await services.publish(requestOf(call, io), call.settings, (packed) => {
      if (isJson || !io.isTerminal) return;
      io.stderr(`${say(io.lang, "publish.sending", { bytes: bytes(packed.zipBytes ?? 0), server: packed.server })}\n`);
    });
    if (isJson) printJson(context, "granary.publish/1", view);
    else io.stdout(inWords(view, io));
    const isPublished = view.sent === undefined || view.sent.outcome === "new" || view.sent.outcome === "same";
    return view.refused.length === 0 && isPublished ? exit.ok : exit.findings;
  },
};

/** A tag ends in a version; whatever else there is, with --version it is a folder. */
function requestOf(call: Call, io: CliIo): PublishRequest {
  const [what = ""] = call.args;
  const version = textOption(call, "version");
  const repo = textOption(call, "repo");
  const usage = "granary publish TAG [--repo DIR] | granary publish DIR --version vX.Y.Z";
  if (version === undefined && !/(^|\/)v[0-9][^/]*$/.test(what))
    throw new GranaryError("GRANARY_BAD_USAGE", { reason: say(io.lang, "publish.usage-version"), usage });
  if (version !== undefined && repo !== undefined)
    throw new GranaryError("GRANARY_BAD_USAGE", { reason: say(io.lang, "publish.usage-tag-only"), usage });
  return {
    what,
    version,
    repo,
    module: textOption(call, "module"),
    isDryRun: call.options["dryRun"] === true,
    at: remoteOf(call.options),
  };
}

function inWords(view: PublishView, io: CliIo): string {
  const { lang } = io;
  const { source, files, omitted, refused, isDryRun } = view;
  const from =
    source.kind === "tag"
      ? say(lang, "publish.from-tag", { ...source, commit: source.commit.slice(0, 12) })
      : say(lang, "publish.from-folder", source);
  const omissions = omitted.map(({ path, reason }) => [path, say(lang, "publish.omission", { reason })]);
  const refusals = refused.map(({ path, reason }) => [path === "" ? say(lang, "publish.all-files") : path, reason]);
  return [
    `${harmless(`${view.module}@${view.version} ${from}`)}\n`,
    ...(isDryRun
      ? [
          list(
            files.map(({ path, size }) => [path, bytes(size)]),
            io,
          ),
        ]
      : []),
    ...(isDryRun && omitted.length > 0 ? [`${say(lang, "publish.omitted", { count: count(omitted.length) })}\n`] : []),
    ...(isDryRun ? [list(omissions, io)] : []),
    ...(refused.length > 0 ? [`${say(lang, "publish.refused", { count: count(refused.length) })}\n`] : []),
    list(refusals, io),
    summary(view, io),
    outcome(view, io),
  ].join("");
}

function list(rows: readonly (readonly string[])[], io: CliIo): string {
  const shown = rows.slice(0, maxShown).map((row) => ["", ...row.map(harmless)]);
  const more = rows.length - shown.length;
  return `${table(shown)}${more > 0 ? `  ${say(io.lang, "publish.more", { count: count(more) })}\n` : ""}`;
}

function summary(view: PublishView, { lang }: CliIo): string {
  const { files, zipBytes, h1, goModH1 } = view;
  if (zipBytes === undefined) return "";
  const rows = [
    ["  zip", h1 ?? ""],
    ["  go.mod", goModH1 ?? ""],
  ];
  const size = say(lang, "publish.files", {
    count: count(files.length),
    bytes: bytes(view.bytes),
    zip: bytes(zipBytes),
  });
  const converted = view.goMod === "converted" ? `${say(lang, "publish.converted")}\n` : "";
  return `${size}\n${table(rows)}${converted}`;
}

function outcome({ sent, server, isDryRun, refused }: PublishView, { lang }: CliIo): string {
  if (isDryRun) return `${say(lang, "publish.dry", { server })}\n`;
  if (sent === undefined || refused.length > 0) return "";
  if (sent.outcome === "new" || sent.outcome === "same")
    return `${say(lang, "publish.done", { outcome: sent.outcome, server })}\n`;
  const said = (sent.said ?? "").split("\n").map((line) => `  ${harmless(line)}\n`);
  return `${say(lang, "publish.not", { outcome: sent.outcome, server })}\n${said.join("")}`;
}
