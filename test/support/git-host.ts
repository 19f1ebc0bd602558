// A git hosting server: `git http-backend` behind Node, over TLS or not, with a password or not, and with go-import tags.
// It notes who connected and what credentials it was shown.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Certificate } from "./certificate.ts";

export type GitHostOptions = {
  /** Holds bare repositories: `team/repo` is at the URL path `/team/repo`. */
  readonly root: string;
  readonly certificate?: Certificate;
  readonly login?: { readonly user: string; readonly password: string };
  /** The name in URLs that it gives out. */
  readonly host: string;
  /** Answers in its place; undefined to let it answer itself. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

export type GitHost = {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  connections(): number;
  /** Request lines so far, with the credentials that came: `GET /x?go-get=1 Basic …`. */
  readonly requests: string[];
  close(): Promise<void>;
};

export async function startGitHost(options: GitHostOptions): Promise<GitHost> {
  const { certificate, login } = options;
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const answer: RequestListener = (request, response) => {
    const authorization = request.headers.authorization ?? "";
    requests.push(`${request.method} ${request.url} ${authorization}`);
    if (options.before?.(request, response) === true) return;
    const wanted = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
    if (wanted !== undefined && authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end("who are you?\n");
      return;
    }
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.searchParams.get("go-get") === "1") void goImport(url.pathname, response, options);
    else runBackend(request, response, { url, ...options });
  };
  const server =
    certificate === undefined
      ? createHttp(answer)
      : createHttps({ cert: await readFile(certificate.cert), key: await readFile(certificate.key) }, answer);
  server.on("connection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    connections: () => connections,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The longest folder of the path that is a repository: what GitLab or Gitea would say. */
async function goImport(
  path: string,
  response: ServerResponse,
  { root, host, certificate }: GitHostOptions,
): Promise<void> {
  const scheme = certificate === undefined ? "http" : "https";
  const elements = path.split("/").filter((element) => element !== "");
  for (let count = elements.length; count > 0; count--) {
    const name = elements.slice(0, count).join("/");
    const isRepository = await readFile(`${root}/${name}/HEAD`).then(
      () => true,
      () => false,
    );
    if (!isRepository) continue;
    const tag = `<meta name="go-import" content="${host}/${name} git ${scheme}://${host}/${name}">`;
    response.writeHead(200, { "content-type": "text/html" }).end(`<html><head>${tag}</head><body></body></html>`);
    return;
  }
  response.writeHead(404).end("no such repository\n");
}

/** CGI (RFC 3875), as far as git's program needs it. */
function runBackend(
  request: IncomingMessage,
  response: ServerResponse,
  { url, root }: GitHostOptions & { url: URL },
): void {
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: root,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "test",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.once("error", () => response.destroy());
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const headers = head
      .toString("latin1", 0, end)
      .split("\r\n")
      .map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = Number(headers.find(([name]) => name.toLowerCase() === "status")?.[1].slice(0, 3) ?? 200);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== "status")));
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  child.once("close", () => response.end());
  response.once("close", () => child.kill());
}

/** A CONNECT proxy that knows one way: whatever is asked for, it is the host at `address`. */
export async function startProxyTo(address: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const [host = "", port = ""] = address.split(":");
  const sockets = new Set<Duplex>();
  const server = createHttp();
  server.on("connect", (_request, socket: Duplex) => {
    const out = connect(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    for (const each of [socket, out]) each.on("error", () => undefined).once("close", () => sockets.delete(each));
    sockets.add(socket).add(out);
    socket.pipe(out).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
