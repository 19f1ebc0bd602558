// The owner's private door: workers hand in what they cannot answer, and say for whom.
//
// Facts about a client are believed here and nowhere else: the socket lies in a folder of this user, and each request
// proves that it comes from a worker of this very server.

import { createServer } from "node:http";
import { vouchFor } from "./caller.ts";
import { parseClient, relayHeader } from "./relay-wire.ts";
import type { Request, Response } from "./send.ts";

type Handler = (request: Request, response: Response) => void;

export type RelayDoor = {
  /** Answers passed to workers so far. */
  readonly relayed: () => number;
  /** Ends every connection at once; workers have drained before. */
  close(): void;
};

/** Room for what a worker adds to a client's headers: the relay line, with an IPv6 address and the key. */
const relayLineBytes = 512;

/** Listens on a socket path (or named pipe). `handler` sees each request with its real client. */
export async function openRelayDoor(
  at: { readonly path: string; readonly key: string },
  use: { readonly handler: Handler; readonly headerBytes: number },
): Promise<RelayDoor> {
  let relayed = 0;
  const options = {
    maxHeaderSize: use.headerBytes + relayLineBytes,
    // The workers hold clients to the time limits; idle connections stay for their next request.
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
    // A client that spoke HTTP/1.0 need not have said a host.
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
  const server = createServer(options, (request, response) => {
    const said = request.headers[relayHeader];
    const client = parseClient(typeof said === "string" ? said : undefined, at.key);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    relayed++;
    vouchFor(request, client);
    use.handler(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: at.path, backlog: 2048 }, resolve);
  });
  return {
    relayed: () => relayed,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
