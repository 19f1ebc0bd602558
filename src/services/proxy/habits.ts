// What clients ask for after what: learned from their requests as they come, in bounded memory and time, lost at a
// restart. It only ever decides what is fetched ahead; no answer depends on it.

import { compareVersions } from "#protocol/version.ts";
import type { ModulePath } from "#protocol/path.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { LRUCache } from "lru-cache";

/** A request that its client may follow with a zip. Versions are left out: tomorrow has others. */
export type Step = `${"listing" | "zip"} ${string}`;

/** Memory for all habits, as reckoned by `sizeOf`: some 5,000 modules. */
export const maxHabitBytes = 8 << 20;
/** Followers noted of one step. */
export const maxFollowers = 4;

/** So many clients must have come by before anything is concluded. */
const minClients = 8;
/** Followed by at least this share: it will follow again. */
const surelyShare = 0.8;
/** At so many clients all counts are halved, so that what they do today weighs more than what they did. */
const maxClients = 64;

/** How many clients went on to the zip of a module, and the highest version that any of them took. */
type Follower = { readonly highest: ModuleVersion; readonly clients: number };
type Habit = { readonly clients: number; readonly followers: ReadonlyMap<string, Follower> };

export class Habits {
  readonly #table: LRUCache<Step, Habit>;

  constructor(maxBytes = maxHabitBytes) {
    this.#table = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  /** Bytes in use, never more than the limit. */
  get bytes(): number {
    return this.#table.calculatedSize;
  }

  /** One more client takes this step; whether something follows is not known yet. */
  taken(step: Step): void {
    const { clients, followers } = this.#table.get(step) ?? { clients: 0, followers: new Map<string, Follower>() };
    const habit = { clients: clients + 1, followers };
    this.#table.set(step, habit.clients < maxClients ? habit : halved(habit));
  }

  /** A client that took this step goes on to a zip. */
  followed(step: Step, zip: ModuleVersion): void {
    const habit = this.#table.get(step);
    if (habit === undefined) return; // pushed out of the table since
    // A new map each time: the table reckons the size of an entry when it is set.
    const followers = new Map(habit.followers);
    const known = followers.get(zip.path);
    if (known === undefined && followers.size >= maxFollowers && !wearDown(followers)) return;
    const highest =
      known !== undefined && compareVersions(known.highest.version, zip.version) > 0 ? known.highest : zip;
    followers.set(zip.path, { highest, clients: Math.min((known?.clients ?? 0) + 1, habit.clients) });
    this.#table.set(step, { ...habit, followers });
  }

  /** The modules whose zips nearly all clients asked for after this step, each in the highest version they took. */
  after(step: Step): readonly ModuleVersion[] {
    const habit = this.#table.get(step);
    if (habit === undefined || habit.clients < minClients) return [];
    const sure = [...habit.followers.values()].filter(({ clients }) => clients >= habit.clients * surelyShare);
    return sure.map(({ highest }) => highest);
  }
}

export function stepOf(kind: "listing" | "zip", path: ModulePath): Step {
  return `${kind} ${path}`;
}

/** Takes one client off the rarest follower; true when that makes room. So no count is ever too high. */
function wearDown(followers: Map<string, Follower>): boolean {
  const [rarest] = [...followers].sort(([, a], [, b]) => a.clients - b.clients);
  if (rarest === undefined) return true;
  const [path, follower] = rarest;
  if (follower.clients === 1) return followers.delete(path);
  followers.set(path, { ...follower, clients: follower.clients - 1 });
  return false;
}

function halved({ clients, followers }: Habit): Habit {
  const half = [...followers].map(([path, each]) => [path, { ...each, clients: each.clients >> 1 }] as const);
  return { clients: clients >> 1, followers: new Map(half.filter(([, each]) => each.clients > 0)) };
}

/** A generous guess at the bytes of an entry: two a letter, and what maps and objects cost. */
function sizeOf({ followers }: Habit, step: Step): number {
  let size = 300 + 2 * step.length;
  for (const [path, { highest }] of followers) size += 200 + 2 * (path.length + highest.version.length);
  return size;
}
