// What a conformance case works with: the proxy, modules known to exist on it, and ways to say fail or skip.
import { ProbeFailed } from "./ports.ts";
import type { ProbeRequest, ProbeResponse, ProxyUnderTest } from "./ports.ts";

/** A module version that exists behind the proxy under test. Unescaped. */
export type ModuleSample = { readonly path: string; readonly version: string };

/** What the cases may count on. An undefined sample skips the cases that need it. */
export type ConformanceFixtures = {
  /** Tagged, with a go.mod, listed. */
  readonly module: ModuleSample;
  /** A path with an upper-case letter. */
  readonly upperPath: ModuleSample | undefined;
  /** A version with an upper-case letter. */
  readonly upperVersion: ModuleSample | undefined;
  /** A `+incompatible` version. */
  readonly incompatible: ModuleSample | undefined;
  /** A path that ends in /vN. */
  readonly major: ModuleSample | undefined;
  /** A module whose repository has no tags at all. */
  readonly tagless: string | undefined;
  /** A branch of `module`. */
  readonly branch: string | undefined;
  /** Whether the proxy's source says in `.info` where `module` came from. */
  readonly origin: boolean;
  /** The checksum database the proxy tunnels, with its verifier key. */
  readonly database: { readonly name: string; readonly key: string } | undefined;
};

export type Severity = "must" | "should";

/** One thing a proxy must (or should) do. Ids are stable: users waive by id. */
export type ConformanceCase = {
  readonly id: string;
  readonly severity: Severity;
  readonly en: string;
  readonly zh: string;
  /** Where it is written. */
  readonly spec: string;
  /** Resolves (with whatever) when the proxy behaves; throws CaseFailed or CaseSkipped. */
  readonly check: (lab: Lab) => Promise<unknown>;
};

export class CaseFailed extends Error {
  override readonly name = "CaseFailed";
}

export class CaseSkipped extends Error {
  override readonly name = "CaseSkipped";
}

/** Throws CaseFailed unless `holds`. */
export function expect(holds: boolean, why: string): asserts holds {
  if (!holds) throw new CaseFailed(why);
}

/** The sample, or a skip when the fixtures have none. */
export function need<T>(sample: T | undefined, what: string): T {
  if (sample === undefined) throw new CaseSkipped(`no fixture: ${what}`);
  return sample;
}

export type Headers = readonly (readonly [name: string, value: string])[];

export class Lab {
  readonly target: ProxyUnderTest;
  readonly fixtures: ConformanceFixtures;
  readonly #answers = new Map<string, Promise<ProbeResponse>>();

  constructor(target: ProxyUnderTest, fixtures: ConformanceFixtures) {
    this.target = target;
    this.fixtures = fixtures;
  }

  /** GET as `go` sends it, redirects followed; asked once per run. */
  get(target: string): Promise<ProbeResponse> {
    const known = this.#answers.get(target);
    if (known !== undefined) return known;
    const answer = this.fresh(target);
    this.#answers.set(target, answer);
    return answer;
  }

  /** GET with headers, asked anew each time. */
  fresh(target: string, headers: Headers = []): Promise<ProbeResponse> {
    return this.send({ method: "GET", target, headers, follow: true });
  }

  async send(request: ProbeRequest): Promise<ProbeResponse> {
    try {
      return await this.target.send(request);
    } catch (error) {
      if (error instanceof ProbeFailed) throw new CaseFailed(`${request.method} ${request.target}: ${error.message}`);
      throw error;
    }
  }

  /** GET that must be 200. */
  async ok(target: string): Promise<ProbeResponse> {
    const answer = await this.get(target);
    expect(answer.status === 200, `${target}: ${describe(answer)}, want 200`);
    return answer;
  }

  /** GET that must be 200 and UTF-8 text. */
  async text(target: string): Promise<string> {
    return textOf(await this.ok(target));
  }

  /** GET that must say "there is no such thing": 404 or 410, which alone let `go` move on. */
  async absent(target: string): Promise<ProbeResponse> {
    const answer = await this.get(target);
    expect(answer.status === 404 || answer.status === 410, `${target}: ${describe(answer)}, want 404 or 410`);
    return answer;
  }

  /** A request that must be refused as the client's fault: any 4xx. */
  async refused(request: ProbeRequest): Promise<ProbeResponse> {
    const answer = await this.send(request);
    const shown = JSON.stringify(request.raw?.split("\r\n")[0] ?? request.target).slice(0, 120);
    expect(answer.status >= 400 && answer.status < 500, `${shown}: ${describe(answer)}, want 4xx`);
    return answer;
  }
}

export function textOf(answer: ProbeResponse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(answer.body);
  } catch {
    throw new CaseFailed("the body is not UTF-8");
  }
}

/** A short account of an answer for a failure: status, and the first line when it is text. */
export function describe(answer: ProbeResponse): string {
  const isText = (answer.headers["content-type"] ?? "").startsWith("text/plain");
  const line = isText ? (textOf(answer).split("\n", 1)[0] ?? "") : "";
  return line === "" ? String(answer.status) : `${answer.status} (${line.slice(0, 100)})`;
}

export function mediaType(answer: ProbeResponse): string {
  return (answer.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
