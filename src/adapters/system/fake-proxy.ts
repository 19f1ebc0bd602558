// A module proxy on the loopback that does what an experiment wants: answers, refuses, breaks off, keeps silent. It
// tells of every request. Asked as an HTTP proxy (CONNECT), it lets nobody through: so go's `direct` stays on this machine.

import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FakeProxy, FakeProxyOptions } from "#services/lab/ports.ts";

export async function openFakeProxy(options: FakeProxyOptions): Promise<FakeProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void handle(request, response, options));
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    const outcome = "502";
    options.onRequest({ proxy: options.name, method: "CONNECT", target: request.url ?? "", outcome });
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // Whoever asks may go away at any time.
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  if (options.answer === "refused") await stop(server, sockets);
  return { name: options.name, url: `http://127.0.0.1:${port}`, close: () => stop(server, sockets) };
}

async function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}

async function handle(request: IncomingMessage, response: ServerResponse, options: FakeProxyOptions): Promise<void> {
  const { name, answer, content } = options;
  const target = request.url ?? "/";
  const tell = (outcome: string): void =>
    options.onRequest({ proxy: name, method: request.method ?? "", target, outcome });
  switch (answer) {
    case "reset":
      tell("reset");
      request.socket.resetAndDestroy();
      return;
    case "eof":
      tell("eof");
      request.socket.end();
      return;
    case "silent":
      tell("silent");
      return;
    case "html":
      tell("200");
      send(response, { status: 200, contentType: "text/html", bytes: Buffer.from("<html>Please sign in</html>\n") });
      return;
    case "empty":
      tell("200");
      send(response, { status: 200, contentType: "text/plain", bytes: new Uint8Array() });
      return;
    case "ok":
    case "refused": {
      const found = await content(target);
      tell(String(found.status));
      send(response, found);
      return;
    }
    default:
      tell(String(answer));
      send(response, { status: answer, contentType: "text/plain; charset=utf-8", bytes: Buffer.from("as asked\n") });
  }
}

function send(
  response: ServerResponse,
  { status, contentType, bytes }: Awaited<ReturnType<FakeProxyOptions["content"]>>,
) {
  const hasBody = status !== 204 && status !== 304;
  response.writeHead(status, {
    "content-type": contentType,
    ...(hasBody && { "content-length": bytes.length }),
  });
  response.end(hasBody ? bytes : undefined);
}
