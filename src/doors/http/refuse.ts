// Connections that send no proper request: Node's own short answer, then the end. Thousands whose time is up at the same
// moment, as after a flood of slow ones, are ended a few at a time: others are served meanwhile, and those who come back
// at once do not all knock at the same moment.

import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Two thousand a second: each costs some 50 µs, and as much again when it comes back. */
const perTurn = 20;
const turnMs = 10;

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** A listener for a server's `clientError`. */
export function refuser(): (error: Error & { readonly code?: string }, socket: Duplex) => void {
  const late: Duplex[] = [];
  const endSome = (): void => {
    for (const socket of late.splice(0, perTurn)) refuse(socket, 408);
    if (late.length > 0) setTimeout(endSome, turnMs);
  };
  return (error, socket) => {
    const status = statuses[error.code ?? ""] ?? 400;
    if (status !== 408) {
      refuse(socket, status);
      return;
    }
    late.push(socket);
    if (late.length === 1) setTimeout(endSome, turnMs);
  };
}

function refuse(socket: Duplex, status: number): void {
  // Node keeps the answer under way here; after its head another one would be nonsense.
  const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse | null };
  if (socket.writable && answer?.headersSent !== true)
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}
