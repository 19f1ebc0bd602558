// The journal of what `env apply` and `env init` changed, and the copies beside it, in the user's state folder.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { readTextFile, removeTextFile, writeTextFile } from "#adapters/system/text-files.ts";
import { formatJournal, parseJournal } from "#services/environment/undo-journal.ts";
import type { JournalEntry } from "#services/environment/undo-journal.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { userDataDir } from "./go-env.ts";
import type { Machine } from "./go-env.ts";

/** Settings hold credentials: nobody else reads the copies. */
const mine = { mode: 0o600 };

/** $XDG_STATE_HOME/granary, or where this platform keeps such things. */
export function stateDir(machine: Machine): string {
  if (machine.platform === "win32" || machine.platform === "darwin") return join(userDataDir(machine), "granary");
  const xdg = machine.env["XDG_STATE_HOME"] ?? "";
  return join(xdg.startsWith("/") ? xdg : join(machine.home, ".local/state"), "granary");
}

export function sha256(text: string | undefined): string | undefined {
  return text === undefined ? undefined : createHash("sha256").update(text).digest("hex");
}

/** Every entry. Throws GRANARY_INPUT_UNREADABLE for a journal that is none. */
export async function readJournal(machine: Machine): Promise<readonly JournalEntry[]> {
  const file = journalFile(machine);
  const text = await readTextFile(file);
  if (text === undefined) return [];
  try {
    return parseJournal(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason }, { cause: error });
  }
}

/** Adds the entry, or puts it in the place of the one with its id. */
export async function writeEntry(entry: JournalEntry, machine: Machine): Promise<void> {
  const others = (await readJournal(machine)).filter(({ id }) => id !== entry.id);
  await writeTextFile(journalFile(machine), formatJournal([...others, entry]), mine);
}

/** Takes the entry and its copies away. */
export async function removeEntry(entry: JournalEntry, machine: Machine): Promise<void> {
  const others = (await readJournal(machine)).filter(({ id }) => id !== entry.id);
  await writeTextFile(journalFile(machine), formatJournal(others), mine);
  for (const { backup } of entry.files) if (backup !== undefined) await removeTextFile(backup);
}

/** Keeps a copy of the text; resolves to its path. */
export async function keepCopy(id: string, at: number, text: string, machine: Machine): Promise<string> {
  const file = join(stateDir(machine), "env-backups", `${id}-${at}`);
  await writeTextFile(file, text, mine);
  return file;
}

function journalFile(machine: Machine): string {
  return join(stateDir(machine), "env-undo.json");
}
