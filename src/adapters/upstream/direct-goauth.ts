// Who we are to a place, in headers: its password, or what its GOAUTH command says. The command runs once without
// arguments, and again with the URL and the answer when a host refuses what it said. What it says is used for URLs of its
// own place, over TLS, and for nobody else's; it is remembered in memory alone.
// Source: `go help goauth`; cmd/go/internal/auth; protocol reference §2.9.

import { ProtocolError } from "#protocol/errors.ts";
import { formatRefusal, headersFor, parseGoAuth } from "#protocol/goauth.ts";
import type { HeaderLine } from "#protocol/goauth.ts";
import { formsOf, minSecretChars } from "./direct-places.ts";
import type { Place, Places } from "./direct-places.ts";
import { Shared } from "./direct-shared.ts";

/** A command's standard output after a good end. Throws an Error whose text may be shown: nothing that it said is in it. */
export type RunGoAuth = (argv: readonly string[], input: string, signal: AbortSignal) => Promise<string>;

/** An answer that refuses: the status is one of 400 to 499. */
export type Refusal = { readonly status: number; readonly reason: string; readonly headers: readonly HeaderLine[] };

/** No headers could be had from a command. */
export class GoAuthFault extends Error {}

/** Commands at a time, of all places together; each is a process. */
const commandsAtOnce = 4;
/** Prefixes that are remembered of one place; a command names a handful. */
const maxPrefixes = 1_000;

type Known = Map<string, readonly HeaderLine[]>;

export class PlaceCredentials {
  readonly #places: Places;
  readonly #run: RunGoAuth;
  readonly #shared = new Shared(commandsAtOnce);
  readonly #known = new Map<Place, Known>();

  constructor(use: { readonly places: Places; readonly goauth: RunGoAuth }) {
    this.#places = use.places;
    this.#run = use.goauth;
  }

  /** What commands said, in every spelling in which it could show up in somebody's text. */
  get secrets(): readonly string[] {
    return [...this.#known.values()].flatMap((known) => [...known.values()].flatMap(secretsIn));
  }

  /** True when a command is asked about this URL, and may be asked again. */
  isCommanded(url: URL): boolean {
    return this.#placeOf(url)?.goauth !== undefined;
  }

  /** The headers for a URL; none where nobody said who we are there. Throws GoAuthFault, or the signal's reason. */
  async of(url: URL, signal: AbortSignal): Promise<readonly HeaderLine[]> {
    const place = this.#placeOf(url);
    if (place?.password !== undefined) return [basicAuth(place.user, place.password)];
    if (place?.goauth === undefined) return [];
    const known = this.#known.get(place) ?? (await this.#ask({ place, goauth: place.goauth }, undefined, signal));
    return headersFor(known, url) ?? [];
  }

  /** The headers after a refusal; undefined when there are none, or no command is there to be asked. */
  async again(url: URL, refusal: Refusal, signal: AbortSignal): Promise<readonly HeaderLine[] | undefined> {
    const place = this.#placeOf(url);
    if (place?.goauth === undefined) return undefined;
    const known = await this.#ask({ place, goauth: place.goauth }, { url, refusal }, signal);
    const headers = headersFor(known, url) ?? [];
    return headers.length === 0 ? undefined : headers;
  }

  /** The narrowest place that says who we are; over TLS only, as the go command has it. */
  #placeOf({ protocol, hostname, pathname }: URL): Place | undefined {
    if (protocol !== "https:") return undefined;
    return this.#places.at(
      hostname,
      pathname,
      ({ password, goauth }) => password !== undefined || goauth !== undefined,
    );
  }

  async #ask(
    { place, goauth }: { readonly place: Place; readonly goauth: readonly string[] },
    after: { readonly url: URL; readonly refusal: Refusal } | undefined,
    signal: AbortSignal,
  ): Promise<Known> {
    const argument = after === undefined ? [] : [after.url.href];
    return await this.#shared.do([place.prefix, ...argument].join(" "), signal, async (running) => {
      const input = after === undefined ? "" : formatRefusal(after.refusal);
      const said = await this.#answer(place, { argv: [...goauth, ...argument], input }, running);
      const known: Known = this.#known.get(place) ?? new Map<string, readonly HeaderLine[]>();
      for (const [prefix, headers] of said) {
        known.delete(prefix);
        if (headers.length > 0) known.set(prefix, headers);
      }
      for (const oldest of known.keys()) if (known.size > maxPrefixes) known.delete(oldest);
      this.#known.set(place, known);
      return known;
    });
  }

  async #answer(
    { prefix }: Place,
    { argv, input }: { readonly argv: readonly string[]; readonly input: string },
    signal: AbortSignal,
  ): Promise<ReturnType<typeof parseGoAuth>> {
    const fault = (reason: string): GoAuthFault => new GoAuthFault(`the goauth command of ${prefix} ${reason}`);
    let text: string;
    try {
      text = await this.#run(argv, input, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw fault(`gave no credentials: ${error instanceof Error ? error.message : String(error)}`);
    }
    try {
      return parseGoAuth(text);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw fault(`said what go would not read: ${error.message}`);
    }
  }
}

/** Hosts that take a token take it with any name. */
export const defaultUser = "granary";

function basicAuth(user: string | undefined, password: string): HeaderLine {
  return ["authorization", `Basic ${Buffer.from(`${user ?? defaultUser}:${password}`).toString("base64")}`];
}

/** Every spelling in which credentials could show up in somebody's text. */
export function secretsIn(headers: readonly HeaderLine[]): readonly string[] {
  return headers.flatMap(([, value]) => {
    const [, word = value] = /^\w+ (.+)$/.exec(value) ?? [];
    const [, user, password] = /^([^:]*):(.+)$/s.exec(Buffer.from(word, "base64").toString("utf8")) ?? [];
    const isPair = /^Basic /i.test(value) && user !== undefined && password !== undefined;
    return [value, word].filter((text) => text.length >= minSecretChars).concat(isPair ? formsOf(user, password) : []);
  });
}
