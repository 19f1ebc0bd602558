import { say } from "#services/errors/say.ts";
import { count, duration } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { LastProbe, UpstreamView } from "#services/upstreams/desk.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { remoteFlags, remoteOf } from "./remote.ts";
import type { CliContext } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table } from "./text.ts";

const shared = { settings: ["listen"], flags: [...remoteFlags, jsonFlag] } as const;

const status: CommandSpec = {
  name: "status",
  about: "command.upstream.status",
  example: "granary upstream status",
  ...shared,
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const upstreams = await services.upstreamStatus(remoteOf(options), settings);
    if (options["json"] === true) printJson(context, "granary.upstreams/1", { upstreams });
    else if (upstreams.length === 0) io.stdout(`${say(io.lang, "upstream.none")}\n`);
    else io.stdout(`${statusTable(upstreams, context)}\n${verdict(upstreams, io.lang)}\n`);
    return upstreams.length > 0 && activeOf(upstreams) === undefined ? exit.findings : exit.ok;
  },
};

/** The one that most modules are asked of first; a canary only when nobody else is left. */
function activeOf(upstreams: readonly UpstreamView[]): UpstreamView | undefined {
  const able = upstreams.filter((upstream) => isAsked(upstream) && upstream.role !== "shadow");
  const usual = able.filter(({ role }) => role !== "canary");
  return (usual.length > 0 ? usual : able).reduce<UpstreamView | undefined>(
    (first, upstream) => (first === undefined || upstream.priority < first.priority ? upstream : first),
    undefined,
  );
}

function isAsked({ condition }: UpstreamView): boolean {
  return condition === "closed" || condition === "trial";
}

function statusTable(upstreams: readonly UpstreamView[], { io }: CliContext): string {
  const active = activeOf(upstreams);
  const unknown = mark("skip", io.isUtf8);
  const time = (ms: number | undefined) => (ms === undefined ? unknown : duration(ms));
  const rows = upstreams.map((upstream) => {
    const { name, condition, priority, role, p50Ms, p95Ms, errorRate, lastProbe } = upstream;
    const level = role === "canary" || role === "shadow" ? say(io.lang, "upstream.role", { role }) : count(priority);
    const cells = [
      `${mark(markOf(upstream), io.isUtf8)} ${name}`,
      say(io.lang, "upstream.condition", { condition }),
      upstream === active ? say(io.lang, "upstream.active", { level }) : level,
      time(p50Ms),
      time(p95Ms),
      errorRate === undefined ? unknown : `${Math.round(errorRate * 1000) / 10} %`,
      lastProbe === undefined ? unknown : probeText(lastProbe, io.lang),
    ];
    return cells.map(harmless);
  });
  return table([say(io.lang, "upstream.columns").split("\t"), ...rows]);
}

function markOf({ condition }: UpstreamView): "ok" | "warn" | "fail" | "skip" {
  switch (condition) {
    case "closed":
      return "ok";
    case "trial":
    case "held":
      return "warn";
    case "open":
      return "fail";
    case "disabled":
      return "skip";
  }
}

function probeText({ ok, ms, reason = "" }: Omit<LastProbe, "at">, lang: Lang): string {
  return say(lang, "upstream.probed", { ok, ms: duration(ms), reason });
}

function verdict(upstreams: readonly UpstreamView[], lang: Lang): string {
  const active = activeOf(upstreams);
  if (active === undefined) {
    const [first] = upstreams.filter(({ condition }) => condition === "disabled");
    const isAll = first !== undefined && upstreams.every(({ condition }) => condition === "disabled");
    return isAll ? say(lang, "upstream.all-disabled", { name: harmless(first.name) }) : say(lang, "upstream.all-away");
  }
  const away = upstreams.filter((upstream) => !isAsked(upstream)).map(({ name }) => harmless(name));
  const name = harmless(active.name);
  return away.length === 0
    ? say(lang, "upstream.all-well", { active: name })
    : say(lang, "upstream.some-away", { active: name, away });
}

const probe: CommandSpec = {
  name: "probe",
  about: "command.upstream.probe",
  example: "granary upstream probe --token file:/run/secrets/granary",
  ...shared,
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const probes = await services.upstreamProbe(remoteOf(options), settings);
    const answered = probes.filter(({ ok }) => ok).length;
    if (options["json"] === true) printJson(context, "granary.probes/1", { probes });
    else {
      const rows = probes.map((one) => [
        `${mark(one.ok ? "ok" : "fail", io.isUtf8)} ${harmless(one.name)}`,
        harmless(probeText(one, io.lang)),
      ]);
      const sum = say(io.lang, "upstream.answered", { answered: count(answered), asked: count(probes.length) });
      io.stdout(`${table(rows)}\n${sum}\n`);
    }
    return answered === probes.length ? exit.ok : exit.findings;
  },
};

function turn(verb: "disable" | "enable"): CommandSpec {
  return {
    name: verb,
    about: `command.upstream.${verb}`,
    example: `granary upstream ${verb} goproxy.cn --token file:/run/secrets/granary`,
    args: ["NAME"],
    ...shared,
    run: async ({ args, options, settings }, context) => {
      const name = args[0] ?? "";
      await context.services.upstreamTurn(name, verb, { at: remoteOf(options), flags: settings });
      if (options["json"] === true) printJson(context, "granary.upstreams/1", { [`${verb}d`]: name });
      else context.io.stdout(`${say(context.io.lang, `upstream.${verb}d`, { name: harmless(name) })}\n`);
      return exit.ok;
    },
  };
}

export const upstreamCommand: CommandSpec = {
  name: "upstream",
  about: "command.upstream",
  example: "granary upstream status",
  commands: [status, probe, turn("disable"), turn("enable")],
};
