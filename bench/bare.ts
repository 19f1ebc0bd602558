// The yardstick: a node:http server that does nothing but send bytes. Everything up to 4 MiB is sent from memory,
// larger files in reads of 1 MiB. It knows its files by their exact request target; all else is 404.
//
//   node bench/bare.ts ROOT PATHS   (PATHS: a file with one request target a line)
import { openSync, read, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

type Entry = { readonly head: string[]; readonly body: Buffer | { readonly fd: number; readonly size: number } };

const maxInMemory = 4 << 20;
const pieceBytes = 1 << 20;

const [root = ".", list = ""] = process.argv.slice(2);
const entries = new Map<string, Entry>();
for (const target of readFileSync(list, "utf8").split("\n").filter(Boolean)) entries.set(target, load(target));

const absent = Buffer.from("not found\n");
const absentHead = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", String(absent.length)];

const server = createServer((request, response) => {
  const entry = entries.get(request.url ?? "");
  if (entry === undefined) {
    response.writeHead(404, absentHead).end(absent);
    return;
  }
  response.writeHead(200, entry.head);
  if (Buffer.isBuffer(entry.body)) response.end(entry.body);
  else void sendFile(response, entry.body);
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 2048 }, () => {
  process.stdout.write(`bare listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once("SIGTERM", () => process.exit(0));

function load(target: string): Entry {
  const file = join(root, target);
  const { size } = statSync(file);
  const head = ["Content-Type", typeOf(target), "Content-Length", String(size)];
  return { head, body: size <= maxInMemory ? readFileSync(file) : { fd: openSync(file, "r"), size } };
}

function typeOf(target: string): string {
  if (target.endsWith(".zip")) return "application/zip";
  return target.endsWith(".info") || target.endsWith("@latest") ? "application/json" : "text/plain; charset=utf-8";
}

/** Two pieces in turn: one is read while the other is on its way. */
async function sendFile(response: ServerResponse, file: { fd: number; size: number }): Promise<void> {
  const pieces = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)] as const;
  const sent = [Promise.resolve(), Promise.resolve()];
  for (let at = 0, turn = 0; at < file.size && !response.destroyed; turn = 1 - turn) {
    await sent[turn];
    const piece = pieces[turn === 0 ? 0 : 1];
    const got = await readAt(file.fd, piece, at);
    sent[turn] = new Promise((resolve) => void response.write(piece.subarray(0, got), () => resolve()));
    at += got;
  }
  await Promise.all(sent);
  response.end();
}

function readAt(fd: number, into: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, 0, into.length, at, (error, got) => (error === null ? resolve(got) : reject(error)));
  });
}
