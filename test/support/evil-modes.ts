// Everything an evil checksum database (or an evil proxy in front of an honest one) may try, as data. Each mode serves
// the wrong zip of example.com/hello v1.0.0 and whatever may make a client believe in it.
import { evilAnswers } from "./evil-modes-answers.ts";
import { evilHeads } from "./evil-modes-heads.ts";
import { evilTiles } from "./evil-modes-tiles.ts";
import type { Lies } from "./evil-database.ts";
import { genuine, honestLog } from "./evil-world.ts";
import type { ModuleFixture } from "./modules.ts";

export type EvilMode = {
  /** As the table names it. */
  readonly name: string;
  /** What it does, for docs/evil-databases.md. */
  readonly what: string;
  /** The hole of 2026 that it uses. */
  readonly hole?: string;
  /** Who knew the database when it was honest (its head of that time): nobody, Granary, or the go command as well. */
  readonly past?: "granary" | "both";
  /** The zip that is served; default the wrong one. */
  readonly zip?: ModuleFixture;
  /** Another module that the same command downloads. */
  readonly also?: ModuleFixture;
  /** After so long a go command that asks directly is taken to hang. */
  readonly patienceMs?: number;
  readonly lies: () => Lies | Promise<Lies>;
  /** The database tells no lie. */
  readonly isTrue?: true;
  /** Answers without end below `/sumdb/<name>`. */
  readonly endless?: RegExp;
};

const control: readonly EvilMode[] = [
  {
    name: "honest",
    isTrue: true,
    what: "No lie at all, and the right zip: what this table would look like if nobody did anything wrong.",
    zip: genuine,
    lies: () => ({ log: honestLog }),
  },
  {
    name: "wrong-zip",
    isTrue: true,
    what: "An honest database, the wrong zip.",
    lies: () => ({ log: honestLog }),
  },
];

/** Heading in docs/evil-databases.md, and its modes. */
export const evilGroups: readonly { readonly title: string; readonly modes: readonly EvilMode[] }[] = [
  { title: "For comparison", modes: control },
  { title: "Lies in the answer to a lookup", modes: evilAnswers },
  { title: "Lies in tiles", modes: evilTiles },
  { title: "Lies in tree heads", modes: evilHeads },
];

export const evilModes: readonly EvilMode[] = evilGroups.flatMap(({ modes }) => modes);
