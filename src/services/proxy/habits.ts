// What clients ask for after what: learned from their requests, in bounded memory, lost at a restart. It only ever
// decides what is fetched ahead and in which order; no answer depends on it.

import { LRUCache } from "lru-cache";
import type { Follower, Lesson } from "./trail.ts";
import { maxFollowers, nameOf } from "./trail.ts";

/** Memory for all habits, as reckoned by `sizeOf`: two builds of 3,000 modules. */
export const maxHabitBytes = 8 << 20;

/** So many clients must have come by before anything is concluded. */
const minClients = 8;
/** Followed by at least this share: it will follow again. */
const surelyShare = 0.8;
/** A zip wanted by fewer comes after those wanted by more. */
const seldomShare = 0.5;
/** A zip wanted by fewer is not fetched ahead. */
const hardlyShare = 0.1;
/** At so many clients all counts are halved, so that what they do today weighs more than what they did. */
const maxClients = 64;

/** How many clients in a row asked for the same version says whether the next one may. */
type Count = Follower & { readonly clients: number; readonly inARow: number };
type Habit = { readonly clients: number; readonly followers: ReadonlyMap<string, Count> };

/** What will follow; `steady` when the last clients all asked for this very version. */
export type Expected = Follower & { readonly steady: boolean };

export class Habits {
  readonly #table: LRUCache<string, Habit>;

  constructor(maxBytes = maxHabitBytes) {
    this.#table = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  /** Bytes in use, never more than the limit. */
  get bytes(): number {
    return this.#table.calculatedSize;
  }

  /** One client's lesson. At most `maxFollowers` of its followers count. */
  learn({ before, after, silentAbout }: Lesson): void {
    const known = this.#table.get(before) ?? { clients: 0, followers: new Map<string, Count>() };
    if (silentAbout !== undefined && wasGiven(known, silentAbout)) return;
    const followers = new Map(known.followers);
    for (const each of after.slice(0, maxFollowers)) note(followers, each);
    const habit = { clients: known.clients + 1, followers };
    // Always a new object: the table reckons the size of a changed one anew only then.
    this.#table.set(before, habit.clients < maxClients ? habit : halved(habit));
  }

  /** What nearly all clients asked for after `before`. */
  after(before: string): readonly Expected[] {
    const { clients, followers } = this.#table.get(before) ?? nothing;
    if (clients < minClients) return [];
    return [...followers.values()]
      .filter((count) => count.clients >= clients * surelyShare)
      .map(({ step, id, inARow }) => ({ step, id, steady: inARow >= minClients }));
  }

  /** How much clients that ask for this path's go.mod want its zip. `usual` without evidence. */
  wish(path: string): "usual" | "seldom" | "hardly" {
    const { clients, followers } = this.#table.get(nameOf("mod", path)) ?? nothing;
    if (clients < minClients) return "usual";
    const share = (followers.get(nameOf("zip", path))?.clients ?? 0) / clients;
    if (share < hardlyShare) return "hardly";
    return share < seldomShare ? "seldom" : "usual";
  }
}

const nothing: Habit = { clients: 0, followers: new Map() };

/** True when the last client that asked for it was given this very version. */
function wasGiven({ followers }: Habit, { step, id }: Follower): boolean {
  return followers.get(nameOf(step, id.path))?.id.version === id.version;
}

/** Counts a follower. In a full set a newcomer wears down the rarest one first, so that no count is ever too high. */
function note(followers: Map<string, Count>, { step, id }: Follower): void {
  const name = nameOf(step, id.path);
  const known = followers.get(name);
  if (known === undefined && followers.size >= maxFollowers && !wearDown(followers)) return;
  const inARow = known?.id.version === id.version ? Math.min(known.inARow + 1, maxClients) : 1;
  followers.set(name, { step, id, clients: (known?.clients ?? 0) + 1, inARow });
}

/** One client less for the rarest; true when that makes room. */
function wearDown(followers: Map<string, Count>): boolean {
  const [rarest] = [...followers].sort(([, a], [, b]) => a.clients - b.clients);
  if (rarest === undefined) return true;
  const [name, count] = rarest;
  if (count.clients === 1) return followers.delete(name);
  followers.set(name, { ...count, clients: count.clients - 1 });
  return false;
}

function halved({ clients, followers }: Habit): Habit {
  const half = [...followers].map(([name, count]) => [name, { ...count, clients: count.clients >> 1 }] as const);
  return { clients: clients >> 1, followers: new Map(half.filter(([, count]) => count.clients > 0)) };
}

/** A generous guess at the bytes of an entry: two a letter, and what maps and objects cost. */
function sizeOf({ followers }: Habit, before: string): number {
  let size = 300 + 2 * before.length;
  for (const [name, { id }] of followers) size += 200 + 2 * (name.length + id.path.length + id.version.length);
  return size;
}
