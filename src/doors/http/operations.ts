// One line of the operation log per request, when there is one. Written when the answer has left: it holds up nothing.

import type { OperationLog } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { addressOf } from "./caller.ts";
import { subjectOf } from "./client-certificate.ts";
import type { Handler } from "./client-certificate.ts";
import type { Response } from "./send.ts";

/** The longest path that a module can have fits; a flood of long targets must not fill the disk. */
const maxPath = 1024;

export function withOperations(
  handler: Handler,
  use: { readonly log: OperationLog; readonly clock: Pick<Clock, "now"> },
): Handler {
  return (request, response) => {
    const started = performance.now();
    const sent = countBody(response);
    const [client, method, path] = [addressOf(request), request.method ?? "", safePath(request.url ?? "")];
    let isWhole = false;
    // HTTP/2's response has no writableFinished.
    response.once("finish", () => (isWhole = true));
    response.once("close", () => {
      const subject = subjectOf(request);
      use.log.operation({
        time: new Date(use.clock.now()).toISOString(),
        client,
        ...(subject !== undefined && { subject }),
        method,
        path,
        status: response.headersSent ? response.statusCode : 0,
        bytes: method === "HEAD" ? 0 : sent(),
        ms: Math.round((performance.now() - started) * 10) / 10,
        ...(!isWhole && { cut: true }),
      });
    });
    handler(request, response);
  };
}

/** A handshake that ended for want of a good certificate asked for nothing, and is an operation all the same. */
export function refusedHandshake(use: {
  readonly log: OperationLog;
  readonly clock: Pick<Clock, "now">;
}): (address: string, reason: string) => void {
  return (client, reason) => {
    const time = new Date(use.clock.now()).toISOString();
    use.log.operation({ time, client, method: "", path: "", status: 0, bytes: 0, ms: 0, refused: reason });
  };
}

/** Nothing that may be a secret: no query, no userinfo of an absolute target, no token that strayed into a path. */
function safePath(url: string): string {
  if (!url.startsWith("/")) return "";
  const path = url.split("?", 1)[0] ?? "";
  return path.replace(/grn_[0-9a-f]+_[\w-]+/g, "grn_xxxxx").slice(0, maxPath);
}

/** Counts what is handed to the response as body. */
function countBody(response: Response): () => number {
  let bytes = 0;
  // HTTP/2's end() hands its chunk to write().
  let depth = 0;
  const count = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === "string")
      bytes += Buffer.byteLength(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
    else if (chunk instanceof Uint8Array) bytes += chunk.byteLength;
  };
  for (const name of ["write", "end"] as const) {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- applied to the response below
    const original = response[name] as (...args: unknown[]) => unknown;
    Object.defineProperty(response, name, {
      configurable: true,
      writable: true,
      value: (...args: unknown[]): unknown => {
        if (depth === 0) count(args[0], args[1]);
        depth++;
        try {
          return original.apply(response, args);
        } finally {
          depth--;
        }
      },
    });
  }
  return () => bytes;
}
