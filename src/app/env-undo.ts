// `granary env apply --undo`: every byte as it was before the newest change.

import { dirname, resolve } from "node:path";
import { readTextFile, removeTextFile, writeTextFile } from "#adapters/system/text-files.ts";
import type { EnvScope, UndoPlan } from "#doors/cli/env-setup-types.ts";
import { diffLines } from "#services/environment/line-diff.ts";
import { undoState } from "#services/environment/undo-journal.ts";
import type { JournalFile } from "#services/environment/undo-journal.ts";
import { notWritten } from "./env-apply.ts";
import { readJournal, removeEntry, sha256 } from "./env-state.ts";
import type { Machine } from "./go-env.ts";

export async function planUndo(scope: EnvScope, dir: string, machine: Machine): Promise<UndoPlan | undefined> {
  const isHere = ({ file }: JournalFile): boolean => scope !== "project" || dirname(file) === resolve(dir);
  const entry = (await readJournal(machine)).findLast((each) => each.scope === scope && each.files.every(isHere));
  if (entry === undefined) return undefined;
  const files = await Promise.all(
    entry.files.map(async (each) => {
      const now = await readTextFile(each.file);
      const before = await textBefore(each);
      const diff = diffLines(now ?? "", before ?? "");
      return { file: each.file, state: undoState(each, sha256(now)), diff, backup: each.backup };
    }),
  );
  return { entry, files };
}

/** Looks again before it writes: a file that is not as we left it stays, and nothing else is touched. */
export async function undoPlan({ entry }: UndoPlan, machine: Machine): Promise<void> {
  for (const each of entry.files)
    if (undoState(each, sha256(await readTextFile(each.file))) === "changed")
      throw notWritten(each.file, "changed", each.backup ?? "");
  for (const each of entry.files) {
    const before = await textBefore(each);
    if (before === undefined) await removeTextFile(each.file);
    else await writeTextFile(each.file, before, { mode: 0o644 });
  }
  await removeEntry(entry, machine);
}

/** Undefined when there was no file. Throws when the copy is gone or not what it was. */
async function textBefore({ file, backup, beforeSha256 }: JournalFile): Promise<string | undefined> {
  if (backup === undefined) return undefined;
  const text = await readTextFile(backup);
  if (sha256(text) !== beforeSha256) throw notWritten(file, "changed", backup);
  return text;
}
