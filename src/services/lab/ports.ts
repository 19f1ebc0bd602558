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
