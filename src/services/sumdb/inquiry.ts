// What the routes of a database said to one question, and what follows when none gave a proven answer.

import { ProtocolError } from "#protocol/errors.ts";
import type { Tried } from "#services/errors/codes.ts";
import { quote } from "#services/errors/quote.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { SumdbError } from "./errors.ts";
import type { SumdbAsk, SumdbRoute } from "./ports.ts";
import { TileUnavailable } from "./tiles.ts";

/** Of a foreign error text; the errors room cuts it again for people. */
const maxQuotedLetters = 300;

/** One question to routes, one after the other. */
export class Inquiry {
  readonly #database: string;
  readonly #tried: Tried[] = [];
  readonly #absent: { readonly route: SumdbRoute; readonly text: string }[] = [];
  #invalid = 0;

  constructor(database: string) {
    this.#database = database;
  }

  get tried(): readonly Tried[] {
    return this.#tried;
  }

  /** The body of a route's 200; undefined after noting anything else. */
  async fetch(
    route: SumdbRoute,
    what: { readonly path: string; readonly maxBytes: number } & SumdbAsk,
  ): Promise<Uint8Array | undefined> {
    try {
      const { status, bytes } = await route.fetch(what.path, what.maxBytes, what);
      if (status === 200) return bytes;
      const text = quote(Buffer.from(bytes.subarray(0, maxQuotedLetters)).toString(), maxQuotedLetters);
      if (status === 404 || status === 410) this.#absent.push({ route, text: text === "" ? `HTTP ${status}` : text });
      this.#tried.push({ upstream: route.name, reason: text === "" ? `HTTP ${status}` : `HTTP ${status}: ${text}` });
    } catch (error) {
      if (!(error instanceof UpstreamFault)) throw error;
      this.#tried.push({ upstream: route.name, reason: error.reason });
    }
    return undefined;
  }

  /** Notes why a route's answer could not be proven. Throws `error` on when it is not about the answer. */
  refuse(route: SumdbRoute, error: unknown): void {
    if (error instanceof ProtocolError) this.#invalid++;
    else if (!(error instanceof TileUnavailable)) throw error;
    this.#tried.push({ upstream: route.name, reason: error.message });
  }

  /** Whether somebody who knows said that there is nothing. */
  get isAbsent(): boolean {
    return this.#absent.some(({ route }) => route.knows);
  }

  /** A 404 is absence when a route that knows said it, or when every route did and none was in doubt. */
  failure(): SumdbError {
    const tried = this.#tried;
    const word = this.#absent.find(({ route }) => route.knows) ?? this.#absent[0];
    const everybody = this.#absent.length === tried.length;
    if (word !== undefined && (word.route.knows || everybody)) {
      return new SumdbError("SUMDB_ABSENT", this.#database, { message: word.text, tried });
    }
    const message =
      tried.map(({ upstream, reason }) => `${upstream}: ${reason}`).join("; ") || "no route is configured";
    return new SumdbError(this.#invalid > 0 ? "SUMDB_INVALID" : "SUMDB_UNREACHABLE", this.#database, {
      message,
      tried,
    });
  }
}
