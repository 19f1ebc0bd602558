// A command as data: program.ts makes the parser and the help from it.

import type { MessageKey } from "#services/errors/messages.ts";
import type { CliContext, SettingFlags } from "./services.ts";

/** Keys of `Messages` whose sentence needs no fields. */
export type PlainKey = Extract<MessageKey, `${"command" | "flag" | "group"}.${string}`>;

/** `isList`: may be given several times; its option is an array. */
export type CommandFlag = {
  readonly flag: string;
  readonly about: PlainKey;
  readonly isList?: true;
  /** Where the help shows it; without it, with what comes out. */
  readonly group?: "server" | "tls";
};

/** What a person typed, parsed. */
export type Call = {
  readonly args: readonly string[];
  /** By camel-cased name of the flag: `--json` is `json`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: SettingFlags;
};

/** Settings that say which store a command opens: a directory, or a bucket and the directory of this node's copies. */
export const whichStore = ["store", "s3.bucket", "s3.endpoint"] as const;

/** The same with its index. */
export const whichIndex = [...whichStore, "postgres.url"] as const;

export type CommandSpec = {
  readonly name: string;
  /** One sentence. */
  readonly about: PlainKey;
  readonly example: string;
  /** In order: `ID`, `URL`; in brackets what may be left out, `[FILE...]` any number. */
  readonly args?: readonly string[];
  readonly flags?: readonly CommandFlag[];
  /** Which settings it takes as flags, beside --config, --profile and --lang. */
  readonly settings?: "all" | readonly string[];
  readonly commands?: readonly CommandSpec[];
  /** Takes its flags with one dash as well. */
  readonly singleDash?: true;
  /** Resolves to the exit code. */
  readonly run?: (call: Call, context: CliContext) => Promise<number>;
};

/** What a flag was given; undefined when it was not, or takes no value. */
export function textOption({ options }: Pick<Call, "options">, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

export const jsonFlag: CommandFlag = { flag: "--json", about: "flag.json" };

export function printJson(context: CliContext, schema: string, data: object): void {
  context.io.stdout(`${JSON.stringify({ schema, ...data }, undefined, 2)}\n`);
}
