// The loopback proxy that a child's go and git must pass. Go may ask one thing, where a repository is, and we answer it
// (direct-discovery.ts); git may open tunnels to hosts that direct-dial.ts lets it reach. Each child has credentials of
// its own, a cap on its bytes, and is cut off when it ends.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HeaderLine } from "#protocol/goauth.ts";
import { askAsKnown } from "./direct-ask.ts";
import type { AskUse } from "./direct-ask.ts";
import type { Goal } from "./direct-dial.ts";
import { portOf } from "./direct-dial.ts";
import { discover, importPage } from "./direct-discovery.ts";

/** What a child may do, and whom it tells. */
export type Admission = {
  /** That may pass, both ways; beyond it everything is cut. */
  readonly maxBytes: number;
  readonly onTooMuch: () => void;
  /** Called before go learns of a repository: git will need these headers there, and nowhere else. */
  readonly onCredentials: (repo: URL, headers: readonly HeaderLine[]) => Promise<void>;
};

/** A child's leave to pass. */
export type Pass = {
  /** Proxy URLs with credentials, for the two programs. */
  readonly goProxy: string;
  readonly gitProxy: string;
  /** What was refused or failed on its way, in order, for whoever reads the child's own words. */
  readonly notes: readonly string[];
  /** What the host itself said when asked where the repository is, if that is that there is none. */
  readonly absent: string | undefined;
  /** Cuts every connection; the credentials are void from now on. */
  end(): void;
};

type Holder = {
  readonly go: string;
  readonly git: string;
  readonly notes: string[];
  readonly sockets: Set<Duplex>;
  readonly stop: AbortController;
  readonly admission: Admission;
  absent: string | undefined;
  bytesLeft: number;
};

/** Notes of one child; a hostile page cannot make more of them than anybody reads. */
const maxNotes = 8;

export class DirectFilter {
  readonly #use: AskUse;
  readonly #holders = new Set<Holder>();
  #server: Promise<Server> | undefined;

  constructor(use: AskUse) {
    this.#use = use;
  }

  async admit(admission: Admission): Promise<Pass> {
    const server = await (this.#server ??= this.#listen());
    const { port } = server.address() as AddressInfo;
    const holder: Holder = {
      go: randomBytes(18).toString("base64url"),
      git: randomBytes(18).toString("base64url"),
      notes: [],
      sockets: new Set(),
      stop: new AbortController(),
      admission,
      absent: undefined,
      bytesLeft: admission.maxBytes,
    };
    this.#holders.add(holder);
    const url = (user: "go" | "git"): string => `http://${user}:${holder[user]}@127.0.0.1:${port}`;
    return {
      goProxy: url("go"),
      gitProxy: url("git"),
      notes: holder.notes,
      get absent() {
        return holder.absent;
      },
      end: () => {
        this.#holders.delete(holder);
        holder.stop.abort(new Error("the child has ended"));
        for (const socket of holder.sockets) socket.destroy();
      },
    };
  }

  async close(): Promise<void> {
    const server = await this.#server?.catch(() => undefined);
    server?.closeAllConnections();
    server?.close();
  }

  async #listen(): Promise<Server> {
    const server = createServer({ maxHeaderSize: 16 * 1024 });
    server.on(
      "connect",
      (request: IncomingMessage, socket: Duplex, head: Buffer) => void this.#tunnel(request, socket, head),
    );
    server.on("request", (request, response) => void this.#answer(request, response));
    server.on("clientError", (_, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
    });
    server.unref();
    return server;
  }

  /** Whose request it is, and which program's. */
  #holderOf(request: IncomingMessage): { readonly holder: Holder; readonly program: "go" | "git" } | undefined {
    const [, encoded = ""] = /^Basic ([\w+/=]{1,200})$/.exec(request.headers["proxy-authorization"] ?? "") ?? [];
    const [user = "", token = ""] = Buffer.from(encoded, "base64").toString("latin1").split(":");
    if (user !== "go" && user !== "git") return undefined;
    for (const holder of this.#holders) if (isSame(holder[user], token)) return { holder, program: user };
    return undefined;
  }

  async #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const whose = this.#holderOf(request);
    if (whose === undefined) {
      refuse(socket, "407 Proxy Authentication Required");
      return;
    }
    // Go asks over https first, whatever it wants; that it is refused makes it ask us in the clear.
    if (whose.program === "go") {
      refuse(socket, "403 Forbidden");
      return;
    }
    const { holder } = whose;
    const goal = parseAuthority(request.url ?? "");
    if (goal === undefined) {
      refuse(socket, "400 Bad Request");
      return;
    }
    try {
      const out = await this.#use.dial(goal, holder.stop.signal);
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      join(holder, socket, out);
      if (head.length > 0) out.write(head);
    } catch (error) {
      note(holder, `${goal.host}: ${textOf(error)}`);
      refuse(socket, "403 Forbidden");
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const whose = this.#holderOf(request);
    const target = request.url ?? "";
    const url = /^http:\/\//i.test(target) && URL.canParse(target) ? new URL(target) : undefined;
    if (whose === undefined || url === undefined) {
      say(response, whose === undefined ? 407 : 400, "no");
      return;
    }
    if (whose.program === "git") {
      await this.#forward({ request, response, url, holder: whose.holder });
      return;
    }
    if (request.method !== "GET" || url.search !== "?go-get=1" || url.port !== "") {
      say(response, 403, "the go command asks here for go-import tags and nothing else");
      return;
    }
    await this.#discover(whose.holder, url, response);
  }

  async #discover(holder: Holder, url: URL, response: ServerResponse): Promise<void> {
    const module = url.host + url.pathname.replace(/\/+$/, "");
    try {
      const found = await discover(module, this.#use, holder.stop.signal);
      if (found.kind === "found") {
        const refused = await this.#hand(holder, found.repo);
        if (refused === undefined) {
          say(response, 200, importPage(found), "text/html");
          return;
        }
        note(holder, refused);
        say(response, 502, refused);
        return;
      }
      if (found.kind === "absent") holder.absent = found.reason;
      else note(holder, found.reason);
      say(response, found.kind === "absent" ? 404 : 502, found.reason);
    } catch (error) {
      if (!holder.stop.signal.aborted) throw error;
      response.destroy();
    }
  }

  /**
   * Gets git the headers that a command says for a repository; why it gets none. They are tried first, as git would use
   * them: of a host that refuses them the command is told, which git could not do.
   */
  async #hand(holder: Holder, repo: string): Promise<string | undefined> {
    const { credentials, places } = this.#use;
    const url = new URL(repo);
    const isOverSsh = places.at(url.hostname, url.pathname, ({ sshKey }) => sshKey !== undefined) !== undefined;
    if (!credentials.isCommanded(url) || isOverSsh) return undefined;
    const { signal } = holder.stop;
    try {
      const refs = new URL(`${repo.replace(/\/$/, "")}/info/refs?service=git-upload-pack`);
      const read = ({ statusCode = 0 }: IncomingMessage): Promise<number> => Promise.resolve(statusCode);
      const status = await askAsKnown(refs, this.#use, { signal, read, isEnough: () => false });
      if (status === 401 || status === 403) return `${refs.href} answered ${status}`;
      if (status >= 300 && status <= 399) return `${refs.href} leads elsewhere (${status}), where no credentials go`;
      const headers = await credentials.of(refs, signal);
      await holder.admission.onCredentials(url, headers);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return `${repo}: ${textOf(error)}`;
    }
  }

  /** Plain HTTP, which direct-dial.ts allows for hosts that the operator named so. */
  async #forward(exchange: {
    request: IncomingMessage;
    response: ServerResponse;
    url: URL;
    holder: Holder;
  }): Promise<void> {
    const { request, response, url, holder } = exchange;
    const port = url.port === "" ? portOf["http:"] : Number(url.port);
    let out: Socket;
    try {
      out = await this.#use.dial({ protocol: "http:", host: url.hostname, port }, holder.stop.signal);
    } catch (error) {
      note(holder, `${url.hostname}: ${textOf(error)}`);
      say(response, 403, "no");
      return;
    }
    watch(holder, out);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.test(name)));
    const passed = httpRequest({
      method: request.method,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host, connection: "close" },
      createConnection: () => out,
      signal: holder.stop.signal,
    });
    passed
      .once("error", () => response.destroy())
      .once("response", (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on("error", () => response.destroy()).pipe(response);
      });
    request.pipe(passed);
  }
}

const hopByHop = /^(proxy-.*|connection|keep-alive|te|trailer|upgrade)$/;

function parseAuthority(text: string): Goal | undefined {
  const [, six, name, port = ""] = /^(?:\[([\da-f:.]{2,45})\]|([a-z\d._-]{1,253})):(\d{1,5})$/i.exec(text) ?? [];
  const host = six ?? name;
  // CONNECT carries TLS, or what looks to us as such: plain HTTP comes with its whole URL.
  return host === undefined || Number(port) > 65_535 ? undefined : { protocol: "https:", host, port: Number(port) };
}

function join(holder: Holder, a: Duplex, b: Duplex): void {
  for (const socket of [a, b]) watch(holder, socket);
  a.pipe(b).on("error", () => a.destroy());
  b.pipe(a).on("error", () => b.destroy());
  a.once("close", () => b.destroy());
  b.once("close", () => a.destroy());
}

/** Counts what a socket brings, and cuts everything when it is too much. */
function watch(holder: Holder, socket: Duplex): void {
  holder.sockets.add(socket);
  socket.once("close", () => holder.sockets.delete(socket)).on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    holder.bytesLeft -= chunk.length;
    if (holder.bytesLeft >= 0) return;
    holder.admission.onTooMuch();
    for (const each of holder.sockets) each.destroy();
  });
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

function say(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(text);
}

function note(holder: Holder, text: string): void {
  if (holder.notes.length < maxNotes && !holder.notes.includes(text)) holder.notes.push(text);
}

function textOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
