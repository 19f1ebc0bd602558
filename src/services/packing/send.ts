// A packed zip goes to the server that is to keep it. Every try is the same request, so that one whose answer got lost
// does no harm; what a busy or restarting server answers is tried again, a verdict is not.

import { hash } from "node:crypto";
import { formatTarget } from "#protocol/request.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Clock } from "#services/store/ports.ts";
import type { PublishReply, PublishServer, ZipFile } from "./ports.ts";
import { ServerBroke } from "./ports.ts";

/** With the waits between them some 15 s: as long as a restart takes. */
const maxTries = 5;
const firstWaitMs = 1_000;
/** Longest wait between two tries, whatever Retry-After says: a person or a CI job waits. */
const maxWaitMs = 30_000;

/** `same`: the server had this very content. `conflict`: it has other content. `refused`: the zip breaks a rule there. */
export type Outcome = "new" | "same" | "conflict" | "refused";

export type Sent = {
  readonly outcome: Outcome;
  readonly tries: number;
  /** What the server said of a conflict or refusal. */
  readonly said: string | undefined;
};

export type SendUse = {
  readonly server: PublishServer;
  /** As people know it, for failures. */
  readonly url: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

type Parcel = { readonly zip: ZipFile; readonly size: number; readonly sha256: string; readonly h1: string };

/**
 * Sends the zip. Throws GRANARY_SERVER_REFUSED for every answer that says nothing of the zip, and
 * GRANARY_TARGET_UNREACHABLE when none came.
 */
export async function sendModule(id: ModuleVersion, parcel: Parcel, use: SendUse): Promise<Sent> {
  const target = formatTarget({ kind: "zip", path: id.path, version: id.version, cachedOnly: false });
  const { zip, size, sha256 } = parcel;
  const request = {
    target,
    idempotencyKey: idempotencyKey(id, sha256),
    size,
    body: () => zip.body(),
    signal: use.signal,
  };
  for (let tries = 1; ; tries++) {
    const reply = await once(use.server, request);
    const waitMs = tries === maxTries ? undefined : waitBefore(reply, tries);
    if (waitMs === undefined) return { ...verdict(reply, { url: use.url + target, h1: parcel.h1 }), tries };
    await use.clock.sleep(waitMs, use.signal);
  }
}

/** The same for the same content of the same version. */
export function idempotencyKey(id: ModuleVersion, sha256: string): string {
  return hash("sha256", `${formatModuleVersion(id)} ${sha256}`);
}

async function once(
  server: PublishServer,
  request: Parameters<PublishServer["put"]>[0],
): Promise<PublishReply | ServerBroke> {
  try {
    return await server.put(request);
  } catch (error) {
    if (error instanceof ServerBroke) return error;
    throw error;
  }
}

/** How long to wait before the next try; undefined when a next one would change nothing. */
function waitBefore(reply: PublishReply | ServerBroke, tries: number): number | undefined {
  const backOff = firstWaitMs * 2 ** (tries - 1);
  if (reply instanceof ServerBroke) return backOff;
  if (![429, 502, 503, 504].includes(reply.status)) return undefined;
  const seconds = Number(reply.headers["retry-after"] ?? "");
  return seconds > 0 ? Math.min(maxWaitMs, seconds * 1_000) : backOff;
}

function verdict(
  reply: PublishReply | ServerBroke,
  asked: { readonly url: string; readonly h1: string },
): Pick<Sent, "outcome" | "said"> {
  const { url } = asked;
  if (reply instanceof ServerBroke)
    throw new GranaryError("GRANARY_TARGET_UNREACHABLE", { url, reason: reply.message }, { cause: reply });
  const { status, text } = reply;
  const said = text.trim();
  if (status === 409) return { outcome: "conflict", said };
  if (status === 422) return { outcome: "refused", said };
  const [first = ""] = said.split("\n", 1);
  if (status !== 200 && status !== 201) throw new GranaryError("GRANARY_SERVER_REFUSED", { url, status, said: first });
  const h1 = h1In(text);
  // Whatever answered so does not keep what was sent: it is no Granary, or something on the way changed it.
  if (h1 !== asked.h1)
    throw new GranaryError("GRANARY_SERVER_REFUSED", { url, status, said: `h1 ${h1 ?? "-"}, sent ${asked.h1}` });
  return { outcome: status === 201 ? "new" : "same", said: undefined };
}

function h1In(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const h1 = typeof value === "object" && value !== null && "h1" in value ? value.h1 : undefined;
    return typeof h1 === "string" ? h1.slice(0, 100) : undefined;
  } catch {
    return undefined;
  }
}
