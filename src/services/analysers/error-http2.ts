// GODEBUG=http2debug=1|2: frames by direction. `wrote RST_STREAM` is this side giving up, `read RST_STREAM` the other one:
// the code alone (8, CANCEL) does not tell who did it. (golang.org/x/net/http2, summarizeFrame; RFC 9113 §7)

import { h2CodeName } from "#protocol/h2-codes.ts";
import type { LogLine } from "./error-lines.ts";

export type Http2Report = {
  readonly frames: number;
  /** `read CANCEL` and the like, with their number. */
  readonly resets: Readonly<Record<string, number>>;
  readonly goaways: Readonly<Record<string, number>>;
  readonly streams: number;
  /** Asked, not answered and not reset. */
  readonly unanswered: number;
  /** Cancelled by this side before any answer; after one it is only what was not read to its end. */
  readonly cancelledUnanswered: number;
};

/** As many streams as a large build opens. */
const maxStreams = 50_000;

type Stream = { asked: boolean; answered: boolean; over: boolean; cancelled: boolean };

export class Http2Reader {
  readonly #streams = new Map<string, Stream>();
  readonly #resets = new Map<string, number>();
  readonly #goaways = new Map<string, number>();
  #frames = 0;

  /** Whether the line is one of http2debug. */
  read({ text }: LogLine): boolean {
    const [, framer = "", direction = "", frame = "", rest = ""] =
      /http2: Framer (0x[\w…]{1,20}): (read|wrote) ([A-Z_]{1,20})(.{0,500})/.exec(text) ?? [];
    if (framer === "") return /^http2: (?:Transport|decoded|Framer)/.test(text);
    this.#frames++;
    const stream = this.#stream(`${framer} ${/stream=(\d{1,10})/.exec(rest)?.[1] ?? ""}`);
    if (frame === "HEADERS" && direction === "wrote") stream.asked = true;
    if (frame === "HEADERS" && direction === "read") stream.answered = true;
    if (frame === "RST_STREAM") this.#reset(direction, rest, stream);
    if (frame === "GOAWAY" && direction === "read") raise(this.#goaways, codeOf(rest));
    return true;
  }

  report(): Http2Report {
    const streams = [...this.#streams.values()].filter(({ asked }) => asked);
    const left = streams.filter(({ answered }) => !answered);
    return {
      frames: this.#frames,
      resets: Object.fromEntries(this.#resets),
      goaways: Object.fromEntries(this.#goaways),
      streams: streams.length,
      unanswered: left.filter(({ over }) => !over).length,
      cancelledUnanswered: [...this.#streams.values()].filter(({ answered, cancelled }) => cancelled && !answered)
        .length,
    };
  }

  #stream(key: string): Stream {
    const stream = this.#streams.get(key) ?? { asked: false, answered: false, over: false, cancelled: false };
    if (this.#streams.size < maxStreams) this.#streams.set(key, stream);
    return stream;
  }

  #reset(direction: string, rest: string, stream: Stream): void {
    const code = codeOf(rest);
    stream.over = true;
    if (direction === "wrote" && code === "CANCEL") stream.cancelled = true;
    raise(this.#resets, `${direction} ${code}`);
  }
}

function codeOf(rest: string): string {
  const [, text = "unknown"] = /err_?code=(\w{1,40})/i.exec(rest) ?? [];
  return /^\d+$/.test(text) ? h2CodeName(Number(text)) : text;
}

function raise(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
