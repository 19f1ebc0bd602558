// What a shell file sets: ~/.bashrc, /etc/profile, ~/.zshrc, config.fish, .envrc, the script of a CI job. Example:
// `export GOPROXY=https://a.example,direct` in line 3 is GOPROXY, exported, from line 3.

import { isGoVariable } from "./assignment.ts";
import type { Assignment, AssignmentKind, Reading, Trap } from "./assignment.ts";
import { splitCommands } from "./shell-words.ts";
import type { Dialect, ShellCommand, ShellWord } from "./shell-words.ts";

/** Reads shell text; never throws. `part` and `firstLine` are for text that stands inside another file. */
export function readShell(
  text: string,
  { dialect = "sh", part = "", firstLine = 1 }: { dialect?: Dialect; part?: string; firstLine?: number } = {},
): Reading {
  const reader = new ShellReader(part, firstLine - 1);
  const commands = splitCommands(text, dialect);
  commands.forEach((command, i) => reader.take(command, commands[i + 1]));
  return reader.reading();
}

const assignment = /^([A-Za-z_][A-Za-z0-9_]*)(\+?)=([^]*)$/;

class ShellReader {
  readonly #part: string;
  readonly #before: number;
  #assignments: Assignment[] = [];
  readonly #traps: Trap[] = [];
  readonly #exported = new Set<string>();
  #exportsAll = false;
  #isPiped = false;
  #endsPipe = false;

  constructor(part: string, before: number) {
    this.#part = part;
    this.#before = before;
  }

  reading(): Reading {
    // `GOPROXY=x` and `export GOPROXY` may stand in any order.
    const assignments = this.#assignments.map((each) =>
      each.kind === "local" && this.#exported.has(each.name) ? { ...each, kind: "exported" as const } : each,
    );
    return { assignments, traps: this.#traps };
  }

  take(command: ShellCommand, next: ShellCommand | undefined): void {
    const { words, end } = command;
    // Each part of a pipeline has a shell of its own: what it sets is gone at its end.
    this.#isPiped = end === "|" || this.#endsPipe;
    this.#endsPipe = end === "|";
    let at = words.findIndex(({ text }) => !assignment.test(text));
    if (at < 0) at = words.length;
    const rest = withoutWrappers(words.slice(at));
    const kind = rest.length > 0 ? "once" : this.#exportsAll ? "exported" : "local";
    for (const word of words.slice(0, at)) this.#set(word, kind, command);
    this.#run(rest, command);
    this.#findTraps(command, next);
  }

  #run(words: readonly ShellWord[], command: ShellCommand): void {
    const [name = "", ...args] = words.map(({ text }) => text);
    switch (name) {
      case "export":
        this.#export(words.slice(1), command);
        return;
      case "declare":
      case "typeset":
      case "local":
        if (args.some((arg) => /^-\w*x/.test(arg))) this.#export(words.slice(1), command);
        else this.#setAll(words.slice(1), "local", command);
        return;
      case "readonly":
        this.#setAll(words.slice(1), "local", command);
        return;
      case "env":
        this.#setAll(words.slice(1), "once", command);
        return;
      case "unset":
        for (const arg of args) if (!arg.startsWith("-")) this.#add(arg, "taken", command);
        return;
      case "set":
        this.#fishSet(words.slice(1), command);
        return;
      case "go":
        if (args[0] === "env") this.#goEnv(words.slice(2), command);
        return;
      case "echo":
        if (command.redirects.some((file) => file.includes("GITHUB_ENV")))
          this.#setAll(words.slice(1), "exported", command);
    }
  }

  #export(words: readonly ShellWord[], command: ShellCommand): void {
    const takes = words.some(({ text }) => /^-\w*n/.test(text));
    for (const word of words) {
      if (word.text.startsWith("-")) continue;
      if (assignment.test(word.text)) this.#set(word, "exported", command);
      else if (takes) this.#add(word.text, "taken", command);
      else this.#exported.add(word.text);
    }
  }

  /** `go env -w A=b`, `go env -u A` */
  #goEnv(words: readonly ShellWord[], command: ShellCommand): void {
    const flags = words.map(({ text }) => text.replace(/^--/, "-"));
    if (flags.includes("-w")) this.#setAll(words, "kept", command);
    else if (flags.includes("-u"))
      for (const { text } of words) if (!text.startsWith("-")) this.#add(text, "taken", command);
  }

  /** bash: `set -a`. fish: `set -gx NAME VALUE…`, `set -e NAME`; a list of several is joined by blanks when exported. */
  #fishSet(words: readonly ShellWord[], command: ShellCommand): void {
    const isFlag = ({ text }: ShellWord): boolean => text.startsWith("-");
    const flags = words.filter(isFlag).map(({ text }) => text);
    const [name, ...values] = words.filter((word) => !isFlag(word));
    if (flags.some((flag) => /^-\w*a/.test(flag)) || (flags.includes("-o") && name?.text === "allexport"))
      this.#exportsAll = true;
    if (name === undefined) return;
    if (/^\+(a|o)$/.test(name.text)) this.#exportsAll = false;
    if (!/^[A-Za-z_]\w*$/.test(name.text)) return;
    if (flags.some((flag) => /^-\w*e|^--erase$/.test(flag))) {
      this.#add(name.text, "taken", command);
      return;
    }
    const isExported = flags.some((flag) => /^-[a-zA-Z]*x|^--export$/.test(flag));
    this.#add(name.text, isExported ? "exported" : "local", command, {
      text: values.map(({ text }) => text).join(" "),
      isLiteral: values.every(({ isLiteral }) => isLiteral),
    });
  }

  #setAll(words: readonly ShellWord[], kind: AssignmentKind, command: ShellCommand): void {
    for (const word of words) if (assignment.test(word.text)) this.#set(word, kind, command);
  }

  #set(word: ShellWord, kind: AssignmentKind, command: ShellCommand): void {
    const [, name = "", plus = "", value = ""] = assignment.exec(word.text) ?? [];
    const isLiteral = word.isLiteral && plus === "";
    this.#add(name, kind, command, { text: value, isLiteral });
  }

  #add(
    name: string,
    kind: AssignmentKind,
    { line, isMaybe }: ShellCommand,
    { text: value, isLiteral }: ShellWord = { text: "", isLiteral: true },
  ): void {
    // `unset ""` and `unset $X` name nothing.
    if (!/^[A-Za-z_]\w*$/.test(name)) return;
    if (this.#isPiped && kind !== "kept") return;
    const place = { line: line + this.#before, isMaybe, part: this.#part };
    this.#assignments.push({ name, value, kind, isLiteral, ...place });
  }

  /** `export GOPROXY=https://a, direct` and `GOPROXY=https://a|direct`: the shell takes the rest for something else. */
  #findTraps({ words, line, end }: ShellCommand, next: ShellCommand | undefined): void {
    const isLost = this.#isPiped && words[0]?.text !== "go";
    const trap = (word: ShellWord | undefined, lost: ShellWord | undefined, by: Trap["by"]): void => {
      const [, name = "", , kept = ""] = assignment.exec(word?.text ?? "") ?? [];
      if (isGoVariable(name) && lost !== undefined && isEntry(lost.text))
        this.#traps.push({ name, line: line + this.#before, kept: isLost ? "" : kept, lost: lost.text, by });
    };
    words.forEach((word, i) => trap(word, words[i + 1], "blank"));
    const onSameLine = next !== undefined && next.line === line ? next.words[0] : undefined;
    if (end === "|" || end === "||") trap(words.at(-1), onSameLine, "pipe");
    if (end === ";") trap(words.at(-1), onSameLine, "semicolon");
  }
}

/** Looks like what stands in a GOPROXY list. */
function isEntry(text: string): boolean {
  return /^,?(direct|off)$|^,?(https?|file):\/\//.test(text);
}

/** `command`, `builtin`, `sudo -E` … run what follows them. */
function withoutWrappers(words: readonly ShellWord[]): readonly ShellWord[] {
  let at = 0;
  while (["command", "builtin", "sudo", "exec", "nohup"].includes(words[at]?.text ?? "")) {
    at += 1;
    while (words[at]?.text.startsWith("-") === true) at += 1;
  }
  return words.slice(at);
}
