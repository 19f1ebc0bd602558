// The operation log: `operations-2026-11-21.jsonl`, a file per day (UTC), one line per request. Who asks is never held
// up by it, and no answer fails because of it: what cannot be written is counted, and said once until it works again.
//
//   {"time":"2026-11-21T11:10:12.514Z","client":"10.0.3.7","subject":"CN=alice","method":"GET","path":"/latest",…}

import { appendFile, mkdir, readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { EventSink, Operation, OperationLog } from "#services/events/ports.ts";
import { Batches } from "./_batches.ts";

/** At this size the day goes on in `operations-DAY.1.jsonl`, then `.2`: tools open such files whole. */
const defaultMaxFileBytes = 64 << 20;
/** All files together; beyond it the oldest goes. Some ten million requests: whoever must keep more ships them away. */
const defaultMaxFolderBytes = 2 * 2 ** 30;

const fileName = /^operations-\d{4}-\d{2}-\d{2}(?:-p\d+)?(?:\.\d+)?\.jsonl$/;

export type OperationsFileOptions = {
  readonly dir: string;
  readonly events: EventSink;
  /** Tells the files of one process from those of another that logs into the same directory. */
  readonly process?: number;
  readonly maxFileBytes?: number;
  readonly maxFolderBytes?: number;
};

type Line = { readonly day: string; readonly text: string };
type Place = { readonly day: string; readonly number: number; readonly bytes: number };

export class OperationsFile implements OperationLog {
  readonly #options: OperationsFileOptions;
  readonly #lines = new Batches<Line>((batch) => this.#write(batch));
  #place: Place | undefined;
  #lost = 0;
  #isFailing = false;

  constructor(options: OperationsFileOptions) {
    this.#options = options;
  }

  /** Operations that were not written since the last that was. */
  get lost(): number {
    return this.#lost;
  }

  operation(operation: Operation): void {
    const line = { day: operation.time.slice(0, 10), text: `${JSON.stringify(operation)}\n` };
    if (!this.#lines.add(line)) this.#failed(1, "more requests than the disk takes");
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    return this.#lines.flush();
  }

  async #write(batch: readonly Line[]): Promise<void> {
    for (let at = 0; at < batch.length;) {
      const day = batch[at]?.day ?? "";
      const rest = batch.findIndex((line, i) => i > at && line.day !== day);
      const end = rest < 0 ? batch.length : rest;
      const lines = batch.slice(at, end);
      at = end;
      try {
        await this.#append(day, lines.map(({ text }) => text).join(""));
      } catch (error) {
        // A half-written line must not spoil the next one: whatever comes goes to a place that is looked for anew.
        this.#place = undefined;
        this.#failed(lines.length, (error as Error).message);
        continue;
      }
      if (this.#isFailing) this.#recovered();
    }
  }

  async #append(day: string, text: string): Promise<void> {
    const { dir, maxFileBytes = defaultMaxFileBytes } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o750 });
    const isNew = this.#place?.day !== day || this.#place.bytes >= maxFileBytes;
    if (isNew) this.#place = await this.#findPlace(day, maxFileBytes);
    const place = this.#place ?? { day, number: 0, bytes: 0 };
    await appendFile(join(dir, this.#nameOf(place)), place.bytes > 0 && this.#isFailing ? `\n${text}` : text, {
      mode: 0o640,
    });
    this.#place = { ...place, bytes: place.bytes + Buffer.byteLength(text) };
    if (isNew) await this.#prune();
  }

  /** The newest file of the day while it has room, else one after it: earlier ones may be gone, and do not come back. */
  async #findPlace(day: string, maxFileBytes: number): Promise<Place> {
    const { dir } = this.#options;
    const stem = this.#nameOf({ day, number: 0 }).slice(0, -".jsonl".length);
    const numbers = (await readdir(dir)).map((name) => {
      const [, number] = name.startsWith(stem) ? (/^(?:\.(\d{1,9}))?\.jsonl$/.exec(name.slice(stem.length)) ?? []) : [];
      return name === `${stem}.jsonl` ? 0 : Number(number ?? -1);
    });
    const number = Math.max(0, ...numbers);
    const facts = await stat(join(dir, this.#nameOf({ day, number }))).catch(absent);
    const bytes = facts?.size ?? 0;
    return bytes < maxFileBytes ? { day, number, bytes } : { day, number: number + 1, bytes: 0 };
  }

  #nameOf({ day, number }: Pick<Place, "day" | "number">): string {
    const { process } = this.#options;
    const whose = process === undefined ? "" : `-p${process}`;
    return `operations-${day}${whose}${number === 0 ? "" : `.${number}`}.jsonl`;
  }

  /** Removes the oldest files while all of them are too large together; never the one that is written. */
  async #prune(): Promise<void> {
    const { dir, maxFolderBytes = defaultMaxFolderBytes } = this.#options;
    const current = this.#place === undefined ? "" : this.#nameOf(this.#place);
    const names = (await readdir(dir)).filter((name) => fileName.test(name) && name !== current);
    const files = await Promise.all(
      names.map(async (name) => {
        const facts = await stat(join(dir, name)).catch(absent);
        return { name, bytes: facts?.size ?? 0, ms: facts?.mtimeMs ?? 0 };
      }),
    );
    let bytes = files.reduce((sum, file) => sum + file.bytes, this.#place?.bytes ?? 0);
    for (const file of files.toSorted((a, b) => a.ms - b.ms)) {
      if (bytes <= maxFolderBytes) return;
      await unlink(join(dir, file.name)).catch(absent);
      bytes -= file.bytes;
    }
  }

  #failed(count: number, reason: string): void {
    this.#lost += count;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.events.emit({ name: "operations.lost", dir: this.#options.dir, reason });
  }

  #recovered(): void {
    this.#options.events.emit({ name: "operations.resumed", dir: this.#options.dir, lost: this.#lost });
    this.#isFailing = false;
    this.#lost = 0;
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
