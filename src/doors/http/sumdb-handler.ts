// A door to checksum databases and nothing else. One of them is also at the root, as a URL in GOSUMDB wants it; all are
// below `/sumdb/<name>/`, as go asks a proxy for them.
//
//   /lookup/rsc.io/quote@v1.5.2      = /sumdb/sum.golang.org/lookup/rsc.io/quote@v1.5.2
//   /tile/8/0/000   /latest   /supported   the same
//   /   /-/livez   /-/readyz         who is here, and how it does

import type { Target } from "#protocol/request.ts";
import type { Access } from "#services/access/access.ts";
import { asGranaryError, GranaryError } from "#services/errors/granary-error.ts";
import { traced } from "#services/events/trace.ts";
import { sendAnswer } from "./answers.ts";
import type { AnswerUse, Exchange } from "./answers.ts";
import { guard, readTarget } from "./arrival.ts";
import type { Handler } from "./client-certificate.ts";
import { answerError } from "./error-answer.ts";
import type { ErrorUse } from "./error-answer.ts";
import { requireReader } from "./reader.ts";
import { answerReadyMade } from "./ready-made.ts";
import type { ReadyMadeUse } from "./ready-made.ts";
import type { Response } from "./send.ts";
import type { SumdbDoor } from "./sumdb.ts";

/** What the page at `/` says of one database. */
export type ShownDatabase = { readonly name: string; readonly key: string; readonly treeSize: number | undefined };

export type SumdbHandlerUse = AnswerUse &
  ReadyMadeUse &
  ErrorUse & {
    readonly sumdb: SumdbDoor;
    /** Name of the database at the root. */
    readonly root: string;
    readonly databases: () => readonly ShownDatabase[];
    readonly access: Pick<Access, "mayReadPrivate">;
    readonly isDraining: () => boolean;
  };

type Page = (use: SumdbHandlerUse) => string;

const ok: Page = () => "ok\n";
const pages: Readonly<Record<string, Page>> = {
  "/": who,
  "/-/": who,
  "/-/livez": ok,
  "/health": ok,
  "/healthz": ok,
  "/-/readyz": ready,
  "/readyz": ready,
};

export function makeSumdbHandler(use: SumdbHandlerUse): Handler {
  return (request, response) => {
    if (answerReadyMade(use, request, response)) return;
    const url = request.url ?? "";
    traced(() => void handle(use, { request, response, url, head: request.method === "HEAD" }));
  };
}

async function handle(use: SumdbHandlerUse, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  let target: Target | undefined;
  try {
    guard(request);
    const method = request.method ?? "";
    if (method !== "GET" && method !== "HEAD")
      throw new GranaryError("GRANARY_METHOD_NOT_ALLOWED", { method, allowed: "GET, HEAD" });
    const page = Object.hasOwn(pages, url) ? pages[url] : undefined;
    if (page !== undefined) {
      sendPage(response, page(use));
      return;
    }
    target = targetOf(use, url);
    await answer(use, exchange, { target, signal: gone.signal });
  } catch (error) {
    if (gone.signal.aborted || response.destroyed) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    answerError(use, exchange, { error: asGranaryError(error), target });
  }
}

function targetOf(use: SumdbHandlerUse, url: string): Target {
  const isAtRoot = /^\/(?:latest$|supported$|lookup\/|tile\/)/.test(url);
  return readTarget(isAtRoot ? `/sumdb/${use.root}${url}` : url, use.settings().requestLine);
}

async function answer(
  use: SumdbHandlerUse,
  exchange: Exchange,
  asked: { readonly target: Target; readonly signal: AbortSignal },
): Promise<void> {
  const { target, signal } = asked;
  const { request, url } = exchange;
  const requireReaderOf = (what: string): Promise<void> => requireReader(use.access, request, what);
  const options = { signal, requireReader: requireReaderOf };
  if (target.kind === "impossible") throw new GranaryError("GRANARY_IMPOSSIBLE", { what: url, reason: target.reason });
  if (target.kind !== "sumdb" && target.kind !== "tlog") {
    const databases = use.databases().map(({ name }) => name);
    throw new GranaryError("GRANARY_SUMDB_ONLY", {
      what: "path" in target && target.kind !== "house" ? target.path : url,
      databases,
    });
  }
  const found =
    target.kind === "tlog"
      ? await use.sumdb.answerTiled(target, { ...options, keptOnly: false })
      : await use.sumdb.answer(target, { ...options, keptOnly: target.cachedOnly });
  await sendAnswer(use, exchange, { answer: found, path: "" });
}

function who(use: SumdbHandlerUse): string {
  const lines = use
    .databases()
    .map(({ name, key, treeSize }) => `${name}\n  tree  ${treeSize ?? "-"}\n  key   ${key}\n`);
  return lines.join("");
}

function ready(use: SumdbHandlerUse): string {
  if (use.isDraining()) throw new GranaryError("GRANARY_DRAINING", {});
  return "ready\n";
}

function sendPage(response: Response, text: string): void {
  const body = Buffer.from(text);
  const head = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", String(body.length)];
  response.writeHead(200, [...head, "Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"]).end(body);
}
