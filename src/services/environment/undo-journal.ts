// What `env apply` and `env init` did, so that --undo can put every byte back. A journal is a file of the user's state:
// entries, the newest last; the texts themselves lie beside it, one file each.

/** What happened to one file. */
export type JournalFile = {
  readonly file: string;
  /** The copy of the text before; undefined when there was no file. */
  readonly backup: string | undefined;
  readonly beforeSha256: string | undefined;
  /** Of the text after; undefined while nobody knows whether it was written. */
  readonly afterSha256: string | undefined;
};

export type JournalEntry = {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly scope: "user" | "project" | "system";
  /** The words of the command, for people. */
  readonly what: string;
  readonly files: readonly JournalFile[];
};

const schema = "granary.env-undo/1";
/** Who undoes more than this wants another tool. */
const maxEntries = 50;

/** Throws a SyntaxError for what is no journal of ours. */
export function parseJournal(text: string): readonly JournalEntry[] {
  const json = JSON.parse(text) as unknown;
  if (typeof json !== "object" || json === null || !("schema" in json) || !("entries" in json))
    throw new SyntaxError("no journal");
  if (json.schema !== schema || !Array.isArray(json.entries) || !json.entries.every(isEntry))
    throw new SyntaxError(`no journal of the kind ${schema}`);
  return json.entries;
}

export function formatJournal(entries: readonly JournalEntry[]): string {
  return `${JSON.stringify({ schema, entries: entries.slice(-maxEntries) }, undefined, 2)}\n`;
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== "object" || value === null) return false;
  const { id, at, scope, what, files } = value as Record<string, unknown>;
  const areTexts = [id, at, what].every((each) => typeof each === "string");
  return areTexts && (scope === "user" || scope === "project" || scope === "system") && isFiles(files);
}

function isFiles(value: unknown): boolean {
  const isText = (each: unknown): boolean => each === undefined || typeof each === "string";
  return (
    Array.isArray(value) &&
    value.every((each: unknown) => {
      if (typeof each !== "object" || each === null) return false;
      const { file, backup, beforeSha256, afterSha256 } = each as Record<string, unknown>;
      return typeof file === "string" && [backup, beforeSha256, afterSha256].every(isText);
    })
  );
}

/** Whether putting a file back is safe: it is as we left it, already as it was, or somebody changed it since. */
export type UndoState = "ours" | "undone" | "changed";

/** @param nowSha256 of the file as it is; undefined when it is not there */
export function undoState({ beforeSha256, afterSha256 }: JournalFile, nowSha256: string | undefined): UndoState {
  if (nowSha256 === beforeSha256) return "undone";
  return nowSha256 === afterSha256 ? "ours" : "changed";
}
