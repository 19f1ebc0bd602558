// A checksum database that answers honestly until a mode says otherwise, and counts its lies: one that was never told
// proves nothing.
import { parseTilePath } from "#protocol/tile.ts";
import type { Tile } from "#protocol/tile.ts";
import type { SparseLog } from "./evil-log.ts";
import { answer, evilName, headOf, tileOf } from "./evil-world.ts";
import type { TunnelledDatabase } from "./stub-upstream.ts";

type Answer = Awaited<ReturnType<TunnelledDatabase["answer"]>>;

/** What to answer: bytes, `absent` for a 404, undefined for the honest answer. */
export type Lie = Uint8Array | "absent" | undefined;

export type Lies = {
  /** The log that what is not lied about comes from. */
  readonly log: SparseLog;
  /** @param name `path version ` of the module asked for */
  readonly lookup?: (name: string) => Lie | Promise<Lie>;
  readonly latest?: () => Lie | Promise<Lie>;
  readonly tile?: (tile: Tile) => Lie | Promise<Lie>;
};

export class EvilDatabase implements TunnelledDatabase {
  readonly name = evilName;
  lies: Lies;
  /** Lies told so far. */
  told = 0;

  constructor(lies: Lies) {
    this.lies = lies;
  }

  async answer(path: string): Promise<Answer> {
    const { lies } = this;
    if (path === "/latest")
      return await this.#choose(await lies.latest?.(), async () => Buffer.from(await headOf(lies.log)));
    const [, module, version] = /^\/lookup\/(.+)@(.+)$/.exec(path) ?? [];
    if (module !== undefined) {
      const name = `${module} ${version} `;
      return await this.#choose(await lies.lookup?.(name), () => honestLookup(lies.log, name));
    }
    const tile = parseTilePath(path.slice(1));
    return await this.#choose(await lies.tile?.(tile), () => tileOf(lies.log, tile));
  }

  async #choose(lie: Lie, honest: () => Promise<Uint8Array | undefined>): Promise<Answer> {
    if (lie !== undefined) this.told++;
    const bytes = lie === "absent" ? undefined : (lie ?? (await honest()));
    return bytes === undefined
      ? { status: 404, contentType: "text/plain", bytes: Buffer.from("not found\n") }
      : { status: 200, contentType: "application/octet-stream", bytes };
  }
}

/** The answer that a log has for a module version. */
export async function honestLookup(log: SparseLog, name: string): Promise<Uint8Array | undefined> {
  const found = log.find(name);
  return found && answer(found.id, found.text, await headOf(log));
}
