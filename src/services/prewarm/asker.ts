// One file asked of a running server, patiently: a server that is full or restarts is asked again.

import type { Clock } from "#services/store/ports.ts";
import type { ServerClient, ServerReply } from "./ports.ts";
import { ServerSilent } from "./ports.ts";

/** Tries of one request while the server is full, limits us or does not answer. */
const maxTries = 6;
/** Longest wait between two tries, whatever Retry-After says: a person watches. */
const maxWaitMs = 30_000;
/** Our own errors are at most 648 bytes; anything longer is not one. */
const maxErrorBytes = 4 * 1024;

export type AskUse = { readonly client: ServerClient; readonly clock: Clock; readonly signal: AbortSignal };

/** The answer, or why there is none: one of our codes, `HTTP 418`, or `no answer`. */
export type Outcome =
  | { readonly ok: true; readonly reply: ServerReply }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly said: string };

/**
 * GETs a target.
 * @param keepBytes 0 throws the body away
 */
export async function get(use: AskUse, target: string, keepBytes: number): Promise<Outcome> {
  const reply = await patiently(use, { method: "GET", target, keepBytes: Math.max(keepBytes, maxErrorBytes) });
  return outcomeOf(reply);
}

/** Makes the server have a target, without taking its bytes: HEAD, and GET only to learn why it failed. */
export async function head(use: AskUse, target: string): Promise<Outcome> {
  const reply = await patiently(use, { method: "HEAD", target, keepBytes: 0 });
  if (typeof reply === "string" || reply.status === 200) return outcomeOf(reply);
  return outcomeOf(await patiently(use, { method: "GET", target, keepBytes: maxErrorBytes }));
}

type Asked = { readonly method: "GET" | "HEAD"; readonly target: string; readonly keepBytes: number };

/** The reply, or the reason why none came. */
async function patiently(use: AskUse, asked: Asked): Promise<ServerReply | string> {
  for (let tries = 1; ; tries++) {
    const reply = await once(use, asked);
    const waitMs = waitBefore(reply, tries);
    if (waitMs === undefined || tries === maxTries) return reply;
    await use.clock.sleep(waitMs, use.signal);
  }
}

async function once({ client, signal }: AskUse, asked: Asked): Promise<ServerReply | string> {
  try {
    return await client.ask({ ...asked, signal });
  } catch (error) {
    if (error instanceof ServerSilent) return error.message;
    throw error;
  }
}

/** How long to wait before the next try; undefined when a next one would change nothing. */
function waitBefore(reply: ServerReply | string, tries: number): number | undefined {
  const backOff = Math.min(maxWaitMs, 500 * 2 ** (tries - 1));
  if (typeof reply === "string") return backOff;
  const retryAfter = reply.headers["retry-after"];
  // A 503 without Retry-After is a verdict on what was asked (offline, no database), not on how busy the server is.
  if ((reply.status !== 429 && reply.status !== 503) || retryAfter === undefined) return undefined;
  const seconds = Number(retryAfter);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(maxWaitMs, Math.max(seconds * 1000, 100)) : backOff;
}

function outcomeOf(reply: ServerReply | string): Outcome {
  if (typeof reply === "string") return { ok: false, status: 0, code: "no answer", said: reply };
  if (reply.status === 200) return { ok: true, reply };
  const [first = ""] = Buffer.from(reply.body).toString("utf8").split("\n", 1);
  const code = /^GRANARY_[A-Z_]+(?=[:：])/.exec(first)?.[0] ?? `HTTP ${reply.status}`;
  return { ok: false, status: reply.status, code, said: first.slice(code.length).replace(/^[:：]\s*/, "") };
}
