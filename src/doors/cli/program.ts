// From words to an exit code: commander parses, our sentences answer.

import { Command, CommanderError, Option } from "commander";
import { describe } from "#services/errors/catalogue.ts";
import { asGranaryError, GranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import { say } from "#services/errors/say.ts";
import { langs } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { Call, CommandSpec } from "./command.ts";
import { commands } from "./commands.ts";
import { formatHelp, usageOf } from "./help.ts";
import type { CliContext, SettingFlag, SettingFlags } from "./services.ts";
import { exit } from "./services.ts";
import { withDoubleDashes } from "./single-dash.ts";

/** Runs one command line (without program name) and resolves to its exit code. Failures become sentences on stderr. */
export async function runProgram(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    return await parse(argv, context);
  } catch (failure) {
    const error = asGranaryError(failure);
    context.io.stderr(formatFailure(error, context.io.lang));
    return exitCodeOf(error);
  }
}

/** `granary: what happened.`, the rest indented, the code last so that it can be looked up. */
export function formatFailure(error: GranaryError, lang: Lang): string {
  const [first = error.code, ...rest] = describe(error, lang);
  return [`granary: ${first}`, ...rest.map((line) => `  ${line}`), `  ${error.code}`].join("\n") + "\n";
}

const usageCodes: ReadonlySet<string> = new Set([
  "GRANARY_BAD_FLAG",
  "GRANARY_UNKNOWN_FLAG",
  "GRANARY_UNKNOWN_COMMAND",
  "GRANARY_BAD_USAGE",
  "GRANARY_BAD_CONFIG",
  "GRANARY_COMPAT_REFUSED",
  "GRANARY_UNKNOWN_SETTING",
  "GRANARY_CONFIG_UNREADABLE",
  "GRANARY_CONFIG_VARIABLE",
  "GRANARY_SECRET_UNREADABLE",
  "GRANARY_NO_SUCH_ID",
  "GRANARY_INPUT_UNREADABLE",
  "GRANARY_NOT_COMMITTED",
  "GRANARY_TRUSTED_UNREADABLE",
  "GRANARY_NOT_PUBLISHABLE",
]);

/** What the shell sees of a failure. */
export function exitCodeOf(error: GranaryError): number {
  return usageCodes.has(error.code) ? exit.usage : exit.failed;
}

type Build = { readonly context: CliContext; readonly done: (code: Promise<number>) => void };

async function parse(argv: readonly string[], context: CliContext): Promise<number> {
  let code: Promise<number> = Promise.resolve(exit.ok);
  const done = (promised: Promise<number>): void => {
    code = promised;
  };
  const program = buildProgram(argv, { context, done });
  try {
    await program.parseAsync(normalised(argv, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version were printed; every other CommanderError has become one of ours.
    return exit.ok;
  }
  return await code;
}

/** The guides write some commands' flags with one dash. */
function normalised(argv: readonly string[], program: Command): readonly string[] {
  const spec = commands.find(({ name }) => name === argv[0]);
  if (spec?.singleDash === undefined) return argv;
  const flagsOf = (command: Command): string[] => [
    ...command.options.map(({ long }) => long ?? ""),
    ...command.commands.flatMap(flagsOf),
  ];
  return withDoubleDashes(argv, new Set(["--help", ...flagsOf(find(program, [spec.name]))]));
}

/** Of a hundred commands one is asked for: the others are names, unless it is help, or nothing known, that is asked for. */
function onlyNamed(argv: readonly string[]): readonly CommandSpec[] {
  const named = argv.find((word) => !word.startsWith("-"));
  if (!commands.some(({ name }) => name === named)) return commands;
  return commands.map(({ name, about, example, ...whole }) =>
    name === named ? { name, about, example, ...whole } : { name, about, example },
  );
}

function buildProgram(argv: readonly string[], build: Build): Command {
  const { context } = build;
  const { lang } = context.io;
  const root: CommandSpec = {
    name: "granary",
    about: "command.help",
    example: "granary serve",
    commands: onlyNamed(argv),
  };
  const program = buildCommand(root, "granary", build);
  program.description(say(lang, "cli.about"));
  // After the command's name stand the command's own flags: `publish` has a --version too.
  program.enablePositionalOptions();
  program.version(context.version, "--version", say(lang, "flag.version"));
  program
    .command("help")
    .description(say(lang, "command.help"))
    .argument("[command...]")
    .action((path: readonly string[]) => context.io.stdout(find(program, path).helpInformation()));
  return program;
}

function find(program: Command, path: readonly string[]): Command {
  return path.reduce((command, name) => {
    const sub = command.commands.find((each) => each.name() === name);
    if (sub === undefined) throw unknownCommand(name, command);
    return sub;
  }, program);
}

function buildCommand(spec: CommandSpec, path: string, build: Build): Command {
  const { io } = build.context;
  const command = new Command(spec.name).helpCommand(false).showSuggestionAfterError(false).allowExcessArguments(false);
  command.description(say(io.lang, spec.about));
  command.configureOutput({ writeOut: io.stdout, writeErr: () => undefined });
  command.exitOverride((error) => throwOurs(error, command, { path, lang: io.lang }));
  command.configureHelp({
    formatHelp: (shown) => formatHelp(shown, { path, about: shown.description(), example: spec.example }, io.lang),
  });
  for (const sub of spec.commands ?? []) command.addCommand(buildCommand(sub, `${path} ${sub.name}`, build));
  for (const argument of spec.args ?? []) command.argument(argument.startsWith("[") ? argument : `<${argument}>`);
  const settings = settingsOf(spec, build.context);
  addFlags(command, spec, { settings, context: build.context });
  if (spec.run === undefined) askForCommand(command, path, build.context);
  else if (spec.commands !== undefined && spec.args === undefined) {
    command.argument("[command]").allowExcessArguments(true);
    command.action((name: string | undefined) => {
      if (name !== undefined) throw unknownCommand(name, command);
      build.done(spec.run?.(callOf(command, settings), build.context) ?? Promise.resolve(exit.ok));
    });
  } else
    command.action(() => build.done(spec.run?.(callOf(command, settings), build.context) ?? Promise.resolve(exit.ok)));
  return command;
}

/** A command that only has commands below it: its own call is a question or a misspelling. */
function askForCommand(command: Command, path: string, { io }: CliContext): void {
  command.argument("[command]").allowExcessArguments(true);
  command.action((name: string | undefined) => {
    if (name !== undefined) throw unknownCommand(name, command);
    if (command.parent === null) {
      io.stdout(command.helpInformation());
      return;
    }
    const reason = say(io.lang, "usage.subcommand", { command: path });
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason,
      usage: `${path} ${command.commands.map((sub) => sub.name()).join("|")}`,
    });
  });
}

function unknownCommand(name: string, within: Command): GranaryError {
  const guess = nearest(
    name,
    within.commands.map((sub) => sub.name()),
  );
  return new GranaryError("GRANARY_UNKNOWN_COMMAND", { command: name, ...(guess !== undefined && { nearest: guess }) });
}

function settingsOf(spec: CommandSpec, { settingFlags }: CliContext): readonly SettingFlag[] {
  const wanted = spec.settings;
  if (wanted === undefined) return [];
  return settingFlags.filter(({ key }) => key !== "lang" && (wanted === "all" || wanted.includes(key)));
}

function addFlags(
  command: Command,
  spec: CommandSpec,
  of: { settings: readonly SettingFlag[]; context: CliContext },
): void {
  const { lang } = of.context.io;
  for (const { flag, about, initial, isList, group } of of.settings) {
    const notes = [
      ...(isList ? [say(lang, "cli.repeatable")] : []),
      ...(initial === "" ? [] : [say(lang, "cli.default", { value: initial })]),
    ];
    const option = new Option(toCommander(flag), withNotes(about, notes, lang));
    if (isList) option.argParser(collect);
    command.addOption(option.helpGroup(say(lang, `group.${group}`)));
  }
  if (of.settings.length > 0) {
    const files = say(lang, "group.files");
    command.addOption(new Option("--config <FILE>", say(lang, "flag.config")).helpGroup(files));
    command.addOption(new Option("--profile <NAME>", say(lang, "flag.profile")).helpGroup(files));
  }
  const output = say(lang, "group.output");
  for (const { flag, about, isList, group } of spec.flags ?? []) {
    const notes = isList === true ? [say(lang, "cli.repeatable")] : [];
    const place = group === undefined ? output : say(lang, `group.${group}`);
    const option = new Option(toCommander(flag), withNotes(say(lang, about), notes, lang)).helpGroup(place);
    command.addOption(isList === true ? option.argParser(collect) : option);
  }
  command.addOption(new Option("--lang <LANG>", say(lang, "flag.lang")).helpGroup(output));
  command.helpOption("--help", say(lang, "flag.help"));
}

function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function withNotes(about: string, notes: readonly string[], lang: Lang): string {
  if (notes.length === 0) return about;
  return lang === "en" ? `${about} (${notes.join("; ")})` : `${about}（${notes.join("；")}）`;
}

/** `--listen HOST:PORT` → `--listen <HOST:PORT>` */
function toCommander(flag: string): string {
  const [, names = flag, value] = /^((?:-\w, )?\S+)(?: (.+))?$/.exec(flag) ?? [];
  return value === undefined ? names : `${names} <${value}>`;
}

function callOf(command: Command, settings: readonly SettingFlag[]): Call {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  checkLang(options["lang"]);
  const values: Record<string, string | readonly string[]> = {};
  for (const { key, flag } of [...settings, { key: "lang", flag: "--lang LANG" }]) {
    const value = options[new Option(toCommander(flag)).attributeName()];
    if (typeof value === "string" || Array.isArray(value)) values[key] = value as string | string[];
  }
  return { args: command.args, options, settings: { values, ...fileFlags(options) } };
}

function fileFlags(options: Readonly<Record<string, unknown>>): Pick<SettingFlags, "config" | "profile"> {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return { config: text(options["config"]), profile: text(options["profile"]) };
}

function checkLang(value: unknown): void {
  if (typeof value !== "string" || (langs as readonly string[]).includes(value)) return;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--lang", value, accepted: langs.join(" | ") });
}

/** commander's complaint in our words. Help and version are no complaint and pass. */
function throwOurs(error: CommanderError, command: Command, at: { path: string; lang: Lang }): never {
  const named = /'(?:-\w, )?([^' ]+)[^']*'/.exec(error.message)?.[1] ?? "";
  const usage = usageOf(command, at.path);
  switch (error.code) {
    case "commander.unknownOption": {
      const guess = nearest(named, [...command.options.map(({ long }) => long ?? ""), "--help"]);
      throw new GranaryError("GRANARY_UNKNOWN_FLAG", {
        flag: named,
        command: at.path,
        ...(guess !== undefined && { nearest: guess }),
      });
    }
    case "commander.optionMissingArgument":
      throw new GranaryError("GRANARY_BAD_USAGE", { reason: say(at.lang, "usage.flag-value", { flag: named }), usage });
    case "commander.missingArgument":
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(at.lang, "usage.missing", { argument: named }),
        usage,
      });
    case "commander.excessArguments":
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(at.lang, "usage.excess", { command: at.path }),
        usage,
      });
    case "commander.help":
    case "commander.helpDisplayed":
    case "commander.version":
      throw error;
    default:
      throw new GranaryError("GRANARY_BAD_USAGE", { reason: error.message.replace(/^error: /, ""), usage });
  }
}
