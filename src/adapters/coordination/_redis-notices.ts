// Messages between nodes, over a connection of its own: in version 2 of the protocol one that listens can do nothing else.

import { CoordinationDown } from "#services/cluster/ports.ts";
import type { Notice, Notices } from "#services/cluster/ports.ts";
import type { Keys } from "./_redis-keys.ts";
import type { RedisLink } from "./_redis-link.ts";
import { maxText, readNotice } from "./_values.ts";

type Listener = Parameters<Notices["hear"]>[0];

export class RedisNotices implements Notices {
  readonly #link: RedisLink;
  readonly #keys: Keys;
  /** Node and run: a node that was started again is another one. */
  readonly #self: string;
  readonly #listeners = new Set<Listener>();

  constructor(use: { readonly link: RedisLink; readonly keys: Keys; readonly self: string }) {
    this.#link = use.link;
    this.#keys = use.keys;
    this.#self = use.self;
  }

  async tell(notice: Notice): Promise<void> {
    const text = JSON.stringify({ from: this.#self, ...notice });
    if (text.length > maxText) throw new CoordinationDown("the notice is too long");
    await this.#link.call(undefined, ["PUBLISH", this.#keys.notices, text]);
  }

  hear(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A message on the channel of notices. */
  heard(text: string): void {
    const said = readNotice(text);
    if (said === undefined || said.from === this.#self) return;
    for (const { told } of this.#listeners) quietly(() => told(said.notice));
  }

  /** Nobody listened for a while. */
  missed(): void {
    for (const { missed } of this.#listeners) quietly(missed);
  }
}

/** One listener's failure is not the others'. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Who listens looks after its own errors; the connection stays.
  }
}
