// A unit with its drop-ins and environment files as one environment: later files win, the environment files over
// Environment=, and UnsetEnvironment= over all (systemd.exec). Each assignment keeps the file and line it came from.

import type { Assignment, Trap } from "./assignment.ts";
import type { ScopeFile } from "./scopes.ts";
import { readUnitEnvFile } from "./unit-env-file.ts";
import { readUnit } from "./unit-file.ts";
import type { UnitReading } from "./unit-file.ts";

export type NamedText = { readonly file: string; readonly text: string };

export type UnitTexts = {
  /** `app.service` */
  readonly name: string;
  readonly isOfUser: boolean;
  /** The unit, then its drop-ins in their order. */
  readonly texts: readonly NamedText[];
};

/** What the unit says; the lines count through all its texts. */
export function readUnitTexts({ texts }: UnitTexts): UnitReading {
  return readUnit(texts.map(({ text }) => `${text}\n\n`).join(""));
}

/** @param environmentFiles those of `reading.files` that could be read, in order; @param unread the others */
export function unitScope(
  unit: UnitTexts,
  reading: UnitReading,
  { environmentFiles, unread }: { environmentFiles: readonly NamedText[]; unread: readonly string[] },
): readonly ScopeFile[] {
  const placed = [
    ...split(unit.texts, reading),
    ...environmentFiles.map(({ file, text }) => ({ file, ...readUnitEnvFile(text) })),
  ];
  const last = new Map<string, Assignment>();
  for (const { assignments } of placed) for (const each of assignments) last.set(each.name, each);
  for (const word of reading.unset) last.delete(word.replace(/=.*/, ""));
  const facts = {
    name: unit.name,
    user: reading.user,
    hasDynamicUser: reading.hasDynamicUser,
    hasHome: (last.get("HOME")?.value ?? "") !== "",
    isOfUser: unit.isOfUser,
    unread,
  };
  return placed.map(({ file, assignments, traps }, i) => ({
    scope: "unit",
    file,
    reading: {
      assignments: assignments
        .filter((each) => last.get(each.name) === each)
        .map((each) => ({ ...each, part: unit.name })),
      traps,
    },
    ...(i === 0 && { unit: facts }),
  }));
}

type FileReading = {
  readonly file: string;
  readonly assignments: readonly Assignment[];
  readonly traps: readonly Trap[];
};

/** Lines of the whole as lines of each text. */
function split(texts: readonly NamedText[], { assignments, traps }: UnitReading): FileReading[] {
  let before = 0;
  return texts.map(({ file, text }) => {
    const [from, to] = [before, before + text.split("\n").length + 1];
    before = to;
    const mine = <T extends { readonly line: number }>(all: readonly T[]): T[] =>
      all.filter(({ line }) => line > from && line <= to).map((each) => ({ ...each, line: each.line - from }));
    return { file, assignments: mine(assignments), traps: mine(traps) };
  });
}
