// `granary env apply`: a profile for this terminal, this user, this project, or this machine; and back again.

import { isProfileName, profileNames, profiles, tidyPatterns } from "#services/environment/profiles.ts";
import type { Given, ProfileName } from "#services/environment/profiles.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { exportLine } from "#services/findings/fix.ts";
import { shells } from "#services/findings/shell.ts";
import type { Shell } from "#services/findings/shell.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { formatProxyList, parseProxyList } from "#protocol/proxylist.ts";
import { jsonFlag, textOption } from "./command.ts";
import type { Call, CommandFlag, CommandSpec } from "./command.ts";
import { carryOut, undoNewest } from "./env-change.ts";
import type { EnvPlan, EnvScope } from "./env-setup-types.ts";
import type { CliContext } from "./services.ts";
import { exit } from "./services.ts";

const scopes = ["session", "user", "project", "system"] as const;
const usage = "granary env apply --profile NAME --scope user|session|project|system";

export const changeFlags: readonly CommandFlag[] = [
  { flag: "--dry-run", about: "flag.dry-run" },
  { flag: "--yes", about: "flag.env-yes" },
  jsonFlag,
];

export const envApplyCommand: CommandSpec = {
  name: "apply",
  about: "command.env.apply",
  example: "granary env apply --profile cn-multi --scope user",
  flags: [
    { flag: "--profile NAME", about: "flag.env-profile" },
    { flag: "--scope NAME", about: "flag.env-scope" },
    { flag: "--proxy URL", about: "flag.env-proxy" },
    { flag: "--private PATTERNS", about: "flag.env-private" },
    { flag: "--shell NAME", about: "flag.env-shell" },
    { flag: "--dir DIR", about: "flag.env-dir" },
    { flag: "--undo", about: "flag.env-undo" },
    ...changeFlags,
  ],
  run: async (call, context) => {
    const setup = await context.services.envSetup();
    const scope = oneOf("--scope", textOption(call, "scope"), scopes) ?? "user";
    const shell = oneOf("--shell", textOption(call, "shell"), shells) ?? context.io.shell;
    const dir = textOption(call, "dir") ?? ".";
    if (call.options["undo"] === true && scope !== "session")
      return await undoNewest({ scope, dir, setup, call }, context);
    const profile = profileOf(call, context);
    const plan = await setup.planApply({ profile, given: givenOf(call, profile, context), scope, dir });
    if (scope === "session") return printSession(plan, { shell, takes: call.options["undo"] === true }, context);
    return await carryOut({ plan, setup, call, notes: notesOf(plan, scope, context) }, context);
  },
};

/** Lines alone on standard output, so that `eval "$(…)"` works; the words about them beside it. */
function printSession(plan: EnvPlan, { shell, takes }: { shell: Shell; takes: boolean }, { io }: CliContext): number {
  for (const [name, value] of Object.entries(plan.values))
    io.stdout(`${exportLine(name, takes ? "" : value, shell)}\n`);
  io.stderr(`\n${say(io.lang, "env-apply.session", { line: atOnce(shell) })}\n`);
  return exit.ok;
}

/** How each shell runs the lines that a command prints. */
function atOnce(shell: Shell): string {
  const command = `granary env apply --profile … --scope session --shell ${shell}`;
  switch (shell) {
    case "bash":
    case "zsh":
      return `eval "$(${command})"`;
    case "fish":
      return `${command} | source`;
    case "powershell":
      return `${command} | Out-String | Invoke-Expression`;
    case "cmd":
      return `for /f "delims=" %i in ('${command}') do @%i`;
  }
}

function notesOf({ why, values }: EnvPlan, scope: EnvScope, { io }: CliContext): readonly string[] {
  const endsDirect = /,direct$/.test(values["GOPROXY"] ?? "");
  return [
    ...(why === undefined ? [] : [why[io.lang]]),
    ...(endsDirect ? [say(io.lang, "env-apply.direct")] : []),
    ...(scope === "system" ? [say(io.lang, "env-apply.system")] : []),
  ];
}

function profileOf(call: Call, { io }: CliContext): ProfileName {
  const name = textOption(call, "profile");
  if (name === undefined)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "usage.missing", { argument: "--profile" }),
      usage,
    });
  if (!isProfileName(name))
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--profile", value: name, accepted: profileNames.join(" | ") });
  return name;
}

function givenOf(call: Call, profile: ProfileName, { io }: CliContext): Given {
  const proxy = proxyOption(call);
  if (proxy === undefined && profiles[profile].needsProxy)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "env-apply.needs-proxy", { profile }),
      usage: `granary env apply --profile ${profile} --proxy https://granary.corp.example`,
    });
  return { proxy, private: privateOption(call) };
}

/** One URL, or a list of them, as go reads GOPROXY. */
export function proxyOption(call: Call): string | undefined {
  const text = textOption(call, "proxy");
  if (text === undefined) return undefined;
  try {
    return formatProxyList(parseProxyList(text));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const accepted = `https://HOST | https://A|https://B,direct (${error.message})`;
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--proxy", value: text, accepted }, { cause: error });
  }
}

function privateOption(call: Call): string | undefined {
  const text = textOption(call, "private");
  if (text === undefined) return undefined;
  const patterns = tidyPatterns(text);
  const list = patterns.split(",");
  // A pattern for everything would end the verification of everything.
  if (patterns === "" || list.some((pattern) => /^[*?]+(\/[*?]*)*$|:\/\/|\s/.test(pattern)))
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag: "--private",
      value: text,
      accepted: "git.corp.example/*,github.com/acme",
    });
  return patterns;
}

function oneOf<T extends string>(flag: string, value: string | undefined, accepted: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = accepted.find((each) => each === value);
  if (found === undefined) throw new GranaryError("GRANARY_BAD_FLAG", { flag, value, accepted: accepted.join(" | ") });
  return found;
}
