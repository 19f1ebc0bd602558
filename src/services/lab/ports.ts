// The port of the conformance suite: one HTTP exchange in which nothing is normalised on the way.

export type ProbeRequest = {
  readonly method: string;
  /** The request target below the proxy's base URL, byte for byte as it goes on the wire (`/rsc.io/quote/@v/list`). */
  readonly target: string;
  /** In this order, after Host. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Sent after the header as it is; a Content-Length is the caller's to add. */
  readonly body?: string;
  /** The whole header text in place of a well-formed one; `method`, `target` and `headers` only describe it then. */
  readonly raw?: string;
  /** Follow up to nine redirects of a GET, as the go command does. */
  readonly follow?: boolean;
};

export type ProbeResponse = {
  readonly status: number;
  /** Names in lower case; repeated ones joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** Transfer coding removed, content coding not. */
  readonly body: Uint8Array;
};

export interface ProxyUnderTest {
  /** Throws ProbeFailed when no complete answer came. */
  send(request: ProbeRequest): Promise<ProbeResponse>;
}

/** No answer, or one that is not HTTP: refused, broken off, too slow, too large, malformed. */
export class ProbeFailed extends Error {
  override readonly name = "ProbeFailed";
}

/** How an upstream goes away: nobody listens, it keeps silent, it answers 503, it breaks every connection. */
export const drillFaults = ["refused", "silent", "503", "reset"] as const;
export type DrillFault = (typeof drillFaults)[number];

/** An upstream that can be made to fail. */
export interface DrilledUpstream {
  readonly name: string;
  /** Whether it gave the file of this request target. */
  gave(target: string): boolean;
  /** Resolves once the fault is in force; requests under way are hit as well. */
  break(fault: DrillFault): Promise<void>;
  /** Resolves once it answers again, at the same address. */
  mend(): Promise<void>;
}

export type DrillReply = {
  readonly status: number;
  readonly body: Uint8Array;
  /** From the request to the last byte of the answer, with fractions. */
  readonly ms: number;
};

/** The proxy that is drilled. */
export interface DrilledProxy {
  /** Throws ProbeFailed when no complete answer came in time, and the signal's reason when aborted. */
  get(target: string, signal: AbortSignal): Promise<DrillReply>;
  /** Whether it leaves this upstream alone for now. */
  avoids(upstream: string): Promise<boolean>;
}

/** What a fake proxy does when it is asked: answers as a good one, with a status, or fails as networks fail. */
export const fakeFaults = ["ok", "refused", "reset", "eof", "silent", "html", "empty"] as const;
export type FakeAnswer = (typeof fakeFaults)[number] | number;

/** One request that reached a fake proxy. */
export type FakeRequest = {
  readonly proxy: string;
  readonly method: string;
  /** As it was on the wire. */
  readonly target: string;
  /** `200`, `reset`, `nothing`. */
  readonly outcome: string;
};

export type FakeContent = (
  target: string,
) => Promise<{ readonly status: number; readonly contentType: string; readonly bytes: Uint8Array }>;

export type FakeProxyOptions = {
  readonly name: string;
  readonly answer: FakeAnswer;
  readonly content: FakeContent;
  readonly onRequest: (request: FakeRequest) => void;
};

/** A proxy on the loopback of this machine. */
export interface FakeProxy {
  readonly name: string;
  readonly url: string;
  close(): Promise<void>;
}

export type LabGoEnd = {
  /** Undefined when it was ended: it waited for longer than it was given. */
  readonly code: number | undefined;
  /** What it said on both outputs. */
  readonly said: string;
  readonly ms: number;
};

/** Where an experiment takes place: a temporary home, fakes, a real go. Everything is gone when the program ends. */
export interface LabGround {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  openProxy(options: FakeProxyOptions): Promise<FakeProxy>;
  /** An empty home for one run. */
  makeHome(files: Readonly<Record<string, string>>): Promise<{ readonly home: string; readonly work: string }>;
  go(
    args: readonly string[],
    options: {
      readonly cwd: string;
      /** Besides PATH, nothing of the machine's. */
      readonly env: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<LabGoEnd>;
}
