// A place on the loopback where everything goes wrong as told: `http://127.0.0.1:PORT/502/…` answers 502,
// `/reset/…` resets, `/zip-cut/…` breaks only zips off, `/good/…` is a module proxy. The same over TLS with HTTP/2, with a
// certificate that nobody trusts. Asked as an HTTP proxy it lets nobody through.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { createSecureServer } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Certificate } from "./certificate.ts";
import { textAnswer } from "./faults.ts";
import type { StubAnswer } from "./faults.ts";
import { ModuleTable } from "./module-table.ts";
import type { ModuleFixture } from "./modules.ts";

/** What both kinds of servers have; HTTP/2's own types are told apart nowhere but in `rst`. */
type Exchange = {
  readonly socket: Socket;
  readonly target: string;
  readonly stream: Http2ServerResponse["stream"] | undefined;
  readonly send: (answer: StubAnswer) => void;
};

export type ErrorWorld = {
  readonly http: string;
  /** Undefined without openssl. */
  readonly https: string | undefined;
  close(): Promise<void>;
};

export type ErrorWorldOptions = {
  readonly modules: readonly ModuleFixture[];
  readonly certificate: Certificate | undefined;
  /** Answers first; `name` is the first element of the path. */
  readonly also: (name: string, target: string) => Promise<StubAnswer | undefined>;
};

const faults: Readonly<Record<string, (exchange: Exchange) => void>> = {
  reset: ({ socket }) => socket.resetAndDestroy(),
  eof: ({ socket }) => socket.end(),
  silent: () => undefined,
  rst: ({ stream }) => stream?.close(2),
  html: ({ send }) => send(textAnswer(200, "<html>Please sign in</html>\n")),
  empty: ({ send }) => send(textAnswer(200, "")),
  garbage: ({ send }) => send(textAnswer(200, "this is no zip")),
  other: ({ send }) => send(textAnswer(200, '{"Version":"v9.9.9"}')),
  loop: ({ send, target }) => send({ status: 302, headers: { location: `/loop${target}x` }, body: Buffer.from("") }),
  cut: ({ socket }) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it"),
  granary: ({ send }) => send(textAnswer(502, "GRANARY_SUMDB_MISMATCH: other bytes are on record.\nNot stored.\n")),
};

export async function startErrorWorld({ modules, certificate, also }: ErrorWorldOptions): Promise<ErrorWorld> {
  const table = new ModuleTable(modules);
  const answer = async (exchange: Exchange, url: string): Promise<void> => {
    const [, name = "", target = ""] = /^\/([^/]+)(.*)$/.exec(url) ?? [];
    const [part = "", kind] = name.split("-");
    const fault = faults[kind === undefined || target.endsWith(`.${part}`) ? (kind ?? name) : ""];
    if (fault !== undefined) {
      fault({ ...exchange, target });
      return;
    }
    if (/^[2-5]\d\d$/.test(name)) {
      exchange.send(textAnswer(Number(name), "as asked\n"));
      return;
    }
    const found = (await also(name, target)) ?? table.answer(decodeURIComponent(target));
    exchange.send(found ?? textAnswer(404, "not found\n"));
  };
  const handle = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const send = ({ status, headers, body }: StubAnswer): void => {
      response.writeHead(status, headers);
      response.end(status === 204 || status === 304 ? "" : body);
    };
    const exchange = { socket: request.socket, stream: response.stream, target: "", send };
    void answer(exchange, request.url);
  };
  // HTTP/1 exchanges have what is used here of HTTP/2's, without a stream.
  const server = createServer(handle as never);
  server.on("connect", ({ url }, socket) =>
    socket.end(
      `HTTP/1.1 ${url?.startsWith("auth.") === true ? "407 Proxy Authentication Required" : "502 Bad Gateway"}\r\n\r\n`,
    ),
  );
  const files = certificate && { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const secure = files && (createSecureServer({ ...files, allowHTTP1: true }, handle) as unknown as Server);
  const sockets = new Set<Socket>();
  for (const each of secure === undefined ? [server] : [server, secure])
    each.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
    });
  return {
    http: `http://127.0.0.1:${await listen(server)}`,
    https: secure && `https://127.0.0.1:${await listen(secure)}`,
    close: async () => {
      for (const each of secure === undefined ? [server] : [server, secure]) {
        const closed = new Promise<void>((resolve) => void each.close(() => resolve()));
        for (const socket of sockets) socket.destroy();
        await closed;
      }
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
