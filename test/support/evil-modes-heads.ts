// Lies in the signed heads: other histories, other signers, other numbers.
import { formatTree } from "#protocol/checkpoint.ts";
import { encodeBase64 } from "#protocol/base64.ts";
import { generateKey, parseSignerKey } from "#protocol/note.ts";
import { honestLookup } from "./evil-database.ts";
import type { Lies } from "./evil-database.ts";
import { about } from "./evil-modes-answers.ts";
import type { EvilMode } from "./evil-modes.ts";
import type { SparseLog } from "./evil-log.ts";
import {
  answer,
  earlier,
  earlyLog,
  evil,
  evilName,
  genuine,
  headOf,
  helloNumber,
  honestLog,
  neighbour,
  plainSize,
  recordOf,
  signed,
  tileOf,
} from "./evil-world.ts";

const hello = "example.com/hello v1.0.0 ";

/** A log that holds the wrong hash from its beginning: whoever believes its head believes all of it. */
const evilLog = honestLog.with({ texts: { [helloNumber]: recordOf(evil) } });

/** That log's answers under a head of the mode's making. */
const under = (head: () => Promise<string>): Lies => ({
  ...about(async () => answer(helloNumber, recordOf(evil), await head()), evilLog),
  latest: async () => Buffer.from(await head()),
});

/** The record proves itself in `log`, its head included. */
const inLog = (log: SparseLog): Lies => about(() => honestLookup(log, hello), log);

/** From the early log on, with its last record exchanged: a history that contradicts it. */
const forkedLog = earlyLog.with({
  size: plainSize + 3,
  texts: { [plainSize - 1]: recordOf(neighbour), [plainSize + 1]: recordOf(evil) },
});
/** The same, but shorter than the early log. */
const rewrittenLog = earlyLog.with({ size: plainSize - 1000, texts: { [plainSize - 2000]: recordOf(evil) } });

const stranger = parseSignerKey(generateKey(evilName, Buffer.alloc(32, 1)).signerKey);
const emDash = "\u2014";
const signatureOf = (note: string): string => note.slice(note.lastIndexOf(emDash));
const textOf = (note: string): string => note.slice(0, note.lastIndexOf(emDash));

/** A signature line whose key has the database's name, and an algorithm byte that nobody knows in its key hash. */
const unknownAlgorithm = (): string => {
  const blob = Buffer.alloc(68, 2);
  return `${emDash} ${evilName} ${encodeBase64(blob)}\n`;
};

export const evilHeads: readonly EvilMode[] = [
  {
    name: "future-head",
    what: "A signed head far beyond the records that exist, whose tiles are not there.",
    lies: () => under(async () => signed(formatTree({ size: plainSize * 2, root: await evilLog.root() }))),
  },
  {
    name: "rolled-back-head",
    what: "An older head, from before the record it comes with.",
    lies: () =>
      about(async () => answer(helloNumber, recordOf(evil), await headOf(evilLog, { size: helloNumber - 1 })), evilLog),
  },
  {
    name: "rolled-back-harmless",
    what: "An older head of the same history, which still covers the record, and the right zip: nothing is wrong with that.",
    past: "both",
    zip: genuine,
    lies: () =>
      about(
        async () => answer(helloNumber, recordOf(genuine), await headOf(honestLog, { size: 256 ** 2 + 256 + 1 })),
        honestLog,
      ),
  },
  {
    name: "rewritten-head",
    what: "A shorter history than the one seen before, and another one.",
    past: "both",
    // It goes on serving what it has of the old history, so that the contradiction can be seen.
    lies: () => ({
      ...inLog(rewrittenLog),
      tile: async (tile) =>
        (await tileOf(rewrittenLog, tile)) === undefined ? await tileOf(earlyLog, tile) : undefined,
    }),
  },
  {
    name: "forked-head",
    what: "A longer history that contradicts the one seen before.",
    past: "both",
    lies: () => inLog(forkedLog),
  },
  {
    name: "forked-head-fresh-client",
    what: "The same, shown to a client that has just been set up: a container, a CI job.",
    past: "granary",
    lies: () => inLog(forkedLog),
  },
  {
    name: "alternating-heads",
    what: "Two histories, one for each module of the same command.",
    also: earlier,
    lies: () => ({
      log: forkedLog,
      lookup: (name) => honestLookup(name === hello ? forkedLog : earlyLog, name),
      latest: async () => Buffer.from(await headOf(earlyLog)),
      tile: (tile) => (tile.level === 0 && tile.width === 1 ? tileOf(earlyLog, tile) : undefined),
    }),
  },
  {
    name: "wrong-signer",
    what: "A head of another history, signed by another key of the same name.",
    lies: () => under(() => headOf(evilLog, { by: stranger })),
  },
  {
    name: "wrong-signature",
    what: "The same, with the signature of the true head.",
    lies: () => under(async () => textOf(await headOf(evilLog)) + signatureOf(await headOf(honestLog))),
  },
  {
    name: "no-signature",
    what: "The same, with no signature at all.",
    lies: () => under(async () => textOf(await headOf(evilLog))),
  },
  {
    name: "unknown-algorithm",
    what: "The same, signed in an algorithm nobody knows.",
    lies: () => under(async () => textOf(await headOf(evilLog)) + unknownAlgorithm()),
  },
  {
    name: "duplicate-signatures",
    what: "The same, with the signature of the true head twice, and one of a stranger between them.",
    lies: () =>
      under(async () => {
        const line = signatureOf(await headOf(honestLog));
        return textOf(await headOf(evilLog)) + line + unknownAlgorithm() + line;
      }),
  },
  {
    name: "duplicate-signatures-harmless",
    what: "The true answer with its signature twice and a stranger's beside it, and the right zip: nothing is wrong with that.",
    zip: genuine,
    lies: () =>
      about(async () => {
        const head = await headOf(honestLog);
        return answer(helloNumber, recordOf(genuine), head + unknownAlgorithm() + signatureOf(head));
      }),
  },
  {
    name: "too-many-signatures",
    what: "More signature lines than anybody needs to look at (200).",
    lies: () => under(async () => (await headOf(evilLog)) + unknownAlgorithm().repeat(199)),
  },
  {
    name: "huge-head",
    what: "A signed head of 2^63-1 records. The go command computes with it and never comes to an end.",
    patienceMs: 6_000,
    lies: () =>
      under(async () =>
        signed(formatTree({ size: 1, root: await evilLog.root() }).replace("\n1\n", "\n9223372036854775807\n")),
      ),
  },
  {
    name: "overflowing-head",
    what: "A signed head of 10^30 records.",
    lies: () =>
      under(async () =>
        signed(formatTree({ size: 1, root: await evilLog.root() }).replace("\n1\n", `\n1${"0".repeat(30)}\n`)),
      ),
  },
];
