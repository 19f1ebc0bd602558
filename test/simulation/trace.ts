// What happened, line by line: its hash says whether two runs were the same, its end tells how a failure came about.
import { createHash } from "node:crypto";

/** Lines kept for a report unless all are. */
const keptLines = 40;

export class Trace {
  readonly #hash = createHash("sha256");
  readonly #lines: string[] = [];
  readonly #keepsAll: boolean;
  readonly #nowMs: () => number;
  #count = 0;

  constructor(nowMs: () => number, { keepsAll }: { readonly keepsAll: boolean }) {
    this.#nowMs = nowMs;
    this.#keepsAll = keepsAll;
  }

  readonly tell = (what: string): void => {
    const line = `${(this.#nowMs() / 1000).toFixed(4).padStart(11)} s  ${what}`;
    this.#hash.update(line).update("\n");
    this.#count++;
    this.#lines.push(line);
    if (!this.#keepsAll && this.#lines.length >= 8 * keptLines) this.#lines.splice(0, this.#lines.length - keptLines);
  };

  get count(): number {
    return this.#count;
  }

  /** Call it once, at the end. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  lines(): readonly string[] {
    return this.#keepsAll ? this.#lines : this.#lines.slice(-keptLines);
  }
}
