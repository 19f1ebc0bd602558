// Events as JSON lines in a file: buffered, flushed in batches, rotated once when it grows too large. A sink never
// throws and never waits; what cannot be written is counted.

import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { EventSink, GranaryEvent, Traced } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { Batches } from "./_batches.ts";

/** At this size the file becomes `<name>.1` (replacing the one before). */
const maxFileBytes = 64 << 20;

export class JsonlSink implements EventSink {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #lines = new Batches<string>((batch) => this.#write(batch));
  /** A write failed, perhaps in the middle of a line. */
  #isTorn = false;
  /** Events that could not be written. */
  dropped = 0;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  emit(event: GranaryEvent & Traced): void {
    const line = `${JSON.stringify({ at: new Date(this.#clock.now()).toISOString(), ...event })}\n`;
    if (!this.#lines.add(line)) this.dropped++;
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    return this.#lines.flush();
  }

  async #write(batch: readonly string[]): Promise<void> {
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await appendFile(this.#file, `${this.#isTorn ? "\n" : ""}${batch.join("")}`);
      this.#isTorn = false;
      if ((await stat(this.#file)).size > maxFileBytes) await rename(this.#file, `${this.#file}.1`);
    } catch {
      this.#isTorn = true;
      this.dropped += batch.length;
    }
  }
}

/** Tells several sinks. */
export function fanOut(...sinks: readonly EventSink[]): EventSink {
  return {
    emit: (event) => {
      for (const sink of sinks) sink.emit(event);
    },
  };
}
