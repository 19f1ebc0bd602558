// Lies in the answer to a lookup, under heads and tiles that are the database's own.
import { honestLookup } from "./evil-database.ts";
import type { Lie, Lies } from "./evil-database.ts";
import type { SparseLog } from "./evil-log.ts";
import type { EvilMode } from "./evil-modes.ts";
import {
  answer,
  evil,
  genuine,
  headOf,
  helloNumber,
  honestLog,
  modLine,
  neighbour,
  nextVersion,
} from "./evil-world.ts";
import { plainSize, recordOf, zipLine } from "./evil-world.ts";

const hello = "example.com/hello v1.0.0 ";

/** Lies about the one module, in the answer to its lookup. */
export const about = (lie: () => Lie | Promise<Lie>, log: SparseLog = honestLog): Lies => ({
  log,
  lookup: (name) => (name === hello ? lie() : undefined),
});

/** The record is what the log really holds. */
const logged = (text: string): (() => Lies) => {
  const log = honestLog.with({ texts: { [helloNumber]: text } });
  return () => about(() => honestLookup(log, hello.trimEnd()), log);
};

const honestHead = (): Promise<string> => headOf(honestLog);

export const evilAnswers: readonly EvilMode[] = [
  {
    name: "wrong-record",
    what: "The module's own record number, with the hash of the wrong zip in its text.",
    lies: () => about(async () => answer(helloNumber, recordOf(evil), await honestHead())),
  },
  {
    name: "other-version",
    what: "The true record of the next version of the same module.",
    hole: "CVE-2026-42501",
    lies: () => about(async () => answer(helloNumber + 1, recordOf(nextVersion), await honestHead())),
  },
  {
    name: "neighbours-record",
    what: "The true record of another module.",
    hole: "CVE-2026-42501",
    lies: () => about(async () => answer(helloNumber + 2, recordOf(neighbour), await honestHead())),
  },
  {
    name: "own-line-missing",
    what: "The log itself holds a record for the module, but only the line of its go.mod: none for the zip.",
    hole: "CVE-2026-42501",
    lies: logged(modLine(genuine)),
  },
  {
    name: "unknown-hash",
    what: "The log's record has the zip's hash in an algorithm nobody knows (`h2:`).",
    hole: "CVE-2026-42501",
    lies: logged(zipLine(genuine).replace(" h1:", " h2:") + modLine(genuine)),
  },
  {
    name: "extra-lines-in-record",
    what: "The true record with the wrong hash as a line before its own.",
    lies: () => about(async () => answer(helloNumber, zipLine(evil) + recordOf(genuine), await honestHead())),
  },
  {
    name: "extra-lines-after-record",
    what: "The true record of another module, the wrong hash in a paragraph of its own, then the signed head.",
    lies: () =>
      about(async () => answer(helloNumber + 2, `${recordOf(neighbour)}\n${recordOf(evil)}`, await honestHead())),
  },
  {
    name: "extra-lines-in-head",
    what: "The true record of another module, and the wrong hash as a line of the signed head, which lies outside the record.",
    hole: "CVE-2026-56864",
    lies: () =>
      about(async () =>
        answer(helloNumber + 2, recordOf(neighbour), await headOf(honestLog, { more: recordOf(evil) })),
      ),
  },
  {
    name: "two-hashes",
    what: "The log itself holds a record with two hashes for the zip, the wrong one first.",
    lies: logged(zipLine(evil) + recordOf(genuine)),
  },
  {
    name: "number-beyond-head",
    what: "A record whose number is larger than the signed tree.",
    lies: () => about(async () => answer(plainSize + 5, recordOf(evil), await honestHead())),
  },
  {
    name: "huge-number",
    what: "A record number of 2^63-1, the largest that a go command can read.",
    lies: () => about(async () => answer("9223372036854775807", recordOf(evil), await honestHead())),
  },
  {
    name: "negative-number",
    what: "A record number of -1.",
    lies: () => about(async () => answer("-1", recordOf(evil), await honestHead())),
  },
  {
    name: "no-record",
    what: "404 for the record.",
    lies: () => about(() => "absent"),
  },
  {
    name: "endless-lookup",
    what: "An answer to the lookup that has no end.",
    lies: () => ({ log: honestLog }),
    endless: /\/lookup\/example\.com\/hello@v1\.0\.0$/,
  },
];
