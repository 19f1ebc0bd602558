// A small HTTP proxy in front of a server, that spoils requests and answers as told: what a bad network does.
import { createServer, request as ask } from "node:http";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { atEnd } from "./at-end.ts";

export type Spoil =
  /** The server does it, and the client hears nothing of it. */
  | { readonly kind: "lose-answer" }
  /** The body of the answer ends after so many bytes, with the connection. */
  | { readonly kind: "cut"; readonly after: number }
  /** The server is not asked. */
  | { readonly kind: "say"; readonly status: number; readonly body: string }
  /** The server gets so many bytes of the body, and the rest when it is let go. */
  | { readonly kind: "stall"; readonly after: number; readonly until: Promise<unknown> }
  /** The server is not asked, and nobody answers. */
  | { readonly kind: "silent" };

export type Between = {
  readonly endpoint: string;
  /** Spoils those of the next requests that `of` picks, so often. */
  spoil(of: (request: { readonly method: string; readonly url: string }) => boolean, how: Spoil, times: number): void;
  /** `GET /bucket/key` of every request so far. */
  readonly seen: string[];
};

/** The client signs for the proxy's address: the Host header goes on as it came. */
export async function startBetween(t: Pick<TestContext, "after">, target: string): Promise<Between> {
  const { hostname, port } = new URL(target);
  const waiting: { of: Parameters<Between["spoil"]>[0]; how: Spoil; times: number }[] = [];
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const facts = { method: request.method ?? "", url: request.url ?? "" };
    seen.push(`${facts.method} ${facts.url}`);
    const spoiler = waiting.find(({ of, times }) => times > 0 && of(facts));
    if (spoiler !== undefined) spoiler.times--;
    pass(request, response, { hostname, port, how: spoiler?.how });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spoil: (of, how, times) => void waiting.push({ of, how, times }),
    seen,
  };
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  { hostname, port, how }: { readonly hostname: string; readonly port: string; readonly how: Spoil | undefined },
): void {
  if (how?.kind === "silent") return void request.resume();
  if (how?.kind === "say") {
    request.resume();
    response.writeHead(how.status, { "content-type": "application/xml" });
    response.end(how.body);
    return;
  }
  const { method, url, headers } = request;
  const up = ask({ hostname, port, method, path: url, headers }, (answer) => {
    if (how?.kind === "lose-answer") {
      answer.resume();
      answer.once("end", () => request.socket.destroy());
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (how?.kind !== "cut") return void answer.pipe(response);
    let left = how.after;
    answer.on("data", (chunk: Buffer) => {
      if (left <= 0) return;
      response.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) setTimeout(() => request.socket.destroy(), 20);
    });
  });
  up.on("error", () => request.socket.destroy());
  request.on("error", () => up.destroy());
  if (how?.kind === "stall") void stall(request, up, how);
  else request.pipe(up);
}

async function stall(
  request: IncomingMessage,
  up: ClientRequest,
  { after, until }: Extract<Spoil, { readonly kind: "stall" }>,
): Promise<void> {
  let sent = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const now = Math.max(0, Math.min(chunk.length, after - sent));
    if (now > 0) up.write(chunk.subarray(0, now));
    sent += now;
    if (now < chunk.length) {
      await until;
      up.write(chunk.subarray(now));
    }
  }
  up.end();
}
