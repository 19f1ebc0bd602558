import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { JobView } from "#services/proxy/retry-queue.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { remoteFlags, remoteOf } from "./remote.ts";
import type { CliContext } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const shared = { settings: ["listen"], flags: [...remoteFlags, jsonFlag] } as const;

async function showJobs({ options, settings }: Call, context: CliContext): Promise<number> {
  const { io, services } = context;
  const jobs = await services.jobsList(remoteOf(options), settings);
  const dead = jobs.filter(({ state }) => state === "dead").length;
  if (options["json"] === true) printJson(context, "granary.jobs/1", { jobs });
  else if (jobs.length === 0) io.stdout(`${say(io.lang, "jobs.none")}\n`);
  else {
    io.stdout(jobsTable(jobs, io.lang));
    const busy = count(jobs.length - dead);
    io.stdout(
      `\n${dead === 0 ? say(io.lang, "jobs.busy", { busy }) : say(io.lang, "jobs.dead", { dead: count(dead), busy })}\n`,
    );
  }
  return dead === 0 ? exit.ok : exit.findings;
}

/** A row for each, and below it why. */
function jobsTable(jobs: readonly JobView[], lang: Lang): string {
  const rows = jobs.map((job) => toRow(job, lang));
  const [head = "", ...lines] = table([say(lang, "jobs.columns").split("\t"), ...rows])
    .trimEnd()
    .split("\n");
  const told = lines.flatMap((line, at) => [line, `  ${harmless(jobs[at]?.reason ?? "")}`]);
  return `${[head, ...told].join("\n")}\n`;
}

function toRow({ id, kind, module, version, state, tries, since, next, died }: JobView, lang: Lang): string[] {
  const when = (died ?? next ?? since).replace(/[.]\d+Z$/, "Z");
  return [id, say(lang, "jobs.state", { state }), count(tries), when, `${kind} ${module}@${version}`].map(harmless);
}

function turn(verb: "retry" | "drop"): CommandSpec {
  return {
    name: verb,
    about: `command.jobs.${verb}`,
    example: `granary jobs ${verb} 5e0f6a1c9d3b7a42 --token file:/run/secrets/granary`,
    args: ["ID"],
    ...shared,
    run: async ({ args, options, settings }, context) => {
      const id = args[0] ?? "";
      await context.services.jobsTurn(id, verb, { at: remoteOf(options), flags: settings });
      const said = verb === "retry" ? "retried" : "dropped";
      if (options["json"] === true) printJson(context, "granary.jobs/1", { [said]: id });
      else context.io.stdout(`${say(context.io.lang, `jobs.${said}`, { id })}\n`);
      return exit.ok;
    },
  };
}

const list: CommandSpec = {
  name: "list",
  about: "command.jobs.list",
  example: "granary jobs list",
  ...shared,
  run: showJobs,
};

export const jobsCommand: CommandSpec = {
  ...list,
  name: "jobs",
  about: "command.jobs",
  example: "granary jobs",
  commands: [list, turn("retry"), turn("drop")],
};
