// What this room asks of the world: a running Granary, asked over HTTP.

export type ServerRequest = {
  readonly method: "GET" | "HEAD";
  /** Below the server's URL, as it is on the wire. */
  readonly target: string;
  /** Bytes of the body that are wanted; what comes after them is not read. */
  readonly keepBytes: number;
  readonly signal: AbortSignal;
};

export type ServerReply = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** False when the body was longer than what was wanted. */
  readonly isWhole: boolean;
  /** From the request to the last byte of the answer, with fractions. */
  readonly ms: number;
};

export interface ServerClient {
  /** Sends one request. Throws ServerSilent when no whole answer came, and the signal's reason when aborted. */
  ask(request: ServerRequest): Promise<ServerReply>;
  close(): Promise<void>;
}

/** The server did not answer: it is not there, broke off, or took too long. */
export class ServerSilent extends Error {
  override readonly name = "ServerSilent";
}
