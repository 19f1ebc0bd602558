// Writing an answer: heads, bodies, parts, and large zips in pieces with back-pressure.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { ZipAnswer } from "#services/proxy/answer.ts";
import type { Range } from "./conditional.ts";

/** HTTP/2 requests and answers come as node:http2's compatibility objects, which behave alike; listener.ts says so once. */
export type Request = IncomingMessage;
export type Response = ServerResponse;

/** Size of one read and one write of a large zip. Larger gains nothing, smaller costs CPU (bench W3). */
const pieceBytes = 1 << 20;
/** Idle pieces kept for the next zip. */
const maxPooledPieces = 16;
/** A reader that takes nothing for this long is gone. */
const stalledReaderMs = 30_000;

const pool: Buffer[] = [];

function takePiece(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
}

function givePiece(piece: Buffer): void {
  if (pool.length < maxPooledPieces) pool.push(piece);
}

/**
 * Sends `range` of a zip from disk, every block checked before it leaves. The head goes out when the first piece has
 * proven sound: damage found before that throws with nothing sent. A failure after it breaks the connection, never a
 * clean end.
 */
export async function sendZip(
  response: Response,
  answer: ZipAnswer,
  range: Range & { readonly stalledMs?: number; readonly sendHead: () => void },
): Promise<void> {
  const { stalledMs = stalledReaderMs, sendHead } = range;
  const source = await answer.zip.open();
  // Two pieces in turn: one is on its way to the client while the next is read.
  const pieces = [takePiece(), takePiece()] as const;
  const inFlight: Promise<void>[] = [Promise.resolve(), Promise.resolve()];
  try {
    let turn = 0;
    for (let at = range.start; at <= range.end;) {
      await inFlight[turn];
      const piece = pieces[turn === 0 ? 0 : 1];
      const want = Math.min(pieceBytes, range.end + 1 - at);
      const into = piece.subarray(0, want);
      const got = await source.read(at, into);
      if (got !== want) throw new Error(`read ${got} bytes of ${want}`);
      if (at === range.start) sendHead();
      const sent = write(response, into, stalledMs);
      // A reader that leaves fails both pieces, and only one of them is being waited for: the other failure would
      // be nobody's, which ends the process.
      sent.catch(() => undefined);
      inFlight[turn] = sent;
      at += want;
      turn = 1 - turn;
    }
    await Promise.all(inFlight);
    response.end();
    // After a failure they may still be on their way to the socket: then they are not reused.
    givePiece(pieces[0]);
    givePiece(pieces[1]);
  } finally {
    await source.close();
  }
}

/** 302, which nobody may remember. */
export function redirect(response: Response, location: string, more: readonly string[]): void {
  const body = "See Location.\n";
  response
    .writeHead(302, [
      ...["Location", location, "Cache-Control", "no-store", "Content-Type", "text/plain; charset=utf-8"],
      ...["X-Content-Type-Options", "nosniff", "Content-Length", String(Buffer.byteLength(body)), ...more],
    ])
    .end(body);
}

function write(response: Response, bytes: Buffer, stalledMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = response.socket?.bytesWritten ?? 0;
    const watchdog = setInterval(() => {
      const now = response.socket?.bytesWritten ?? 0;
      if (now !== seen) {
        seen = now;
        return;
      }
      finish(new Error("the reader takes nothing"));
    }, stalledMs);
    const gone = () => finish(new Error("the reader went away"));
    const finish = (error?: Error | null) => {
      clearInterval(watchdog);
      response.off("close", gone);
      if (error === undefined || error === null) resolve();
      else reject(error);
    };
    response.once("close", gone);
    response.write(bytes, finish);
  });
}
