// The door of a worker: what lies ready, then what is kept, and everything else goes to the owner of the store.
//
// A worker decides nothing. Private names, listings, queries, checksum databases, misses, refusals and errors are the
// owner's, and whatever goes wrong here before a byte has left is tried again there.

import type { ModuleTarget, Target } from "#protocol/request.ts";
import { keptAnswer } from "#services/proxy/kept.ts";
import type { HeldVersions } from "#services/store/held.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import { sendAnswer } from "./answers.ts";
import type { AnswerUse } from "./answers.ts";
import { guard, readTarget } from "./arrival.ts";
import { hopHeader } from "./handler.ts";
import { answerReadyMade } from "./ready-made.ts";
import type { ReadyMadeUse } from "./ready-made.ts";
import type { Relay } from "./relay.ts";
import type { Request, Response } from "./send.ts";

export type WorkerUse = AnswerUse &
  ReadyMadeUse & {
    /** The owner's store, read only. */
    readonly store: Pick<ModuleStore, "findMod" | "findZip">;
    readonly held: Pick<HeldVersions, "of">;
    readonly relay: Pick<Relay, "forward">;
    /** A client's rate is limited: only the owner, whom all workers ask, can count it. */
    readonly passesAll: () => boolean;
    /** `.info` and go.mod grow old here: only the owner knows whether they are fresh, and says for how long. */
    readonly isEdge: () => boolean;
  };

export function makeWorkerHandler(use: WorkerUse): (request: Request, response: Response) => void {
  return (request, response) => {
    if (use.passesAll()) {
      use.relay.forward(request, response);
      return;
    }
    if (answerReadyMade(use, request, response)) return;
    const target = committedTarget(use, request);
    if (target === undefined) use.relay.forward(request, response);
    else void answerKept(use, { request, response, target });
  };
}

/** The target when it may name a committed file of a public module, asked for in an ordinary way. */
function committedTarget(use: WorkerUse, request: Request): ModuleTarget | undefined {
  const { method, headers, url = "" } = request;
  if ((method !== "GET" && method !== "HEAD") || headers[hopHeader] !== undefined) return undefined;
  const { privacy, requestLine } = use.settings();
  let target: Target;
  try {
    guard(request);
    target = readTarget(url, requestLine);
  } catch {
    return undefined;
  }
  if (target.kind !== "info" && target.kind !== "mod" && target.kind !== "zip") return undefined;
  if (target.kind !== "zip" && use.isEdge()) return undefined;
  const isHeld = target.version !== undefined && use.held.of(target.path, target.version) !== undefined;
  return isHeld || privacy.mustNotTravel(target.path) ? undefined : target;
}

async function answerKept(
  use: WorkerUse,
  asked: { readonly request: Request; readonly response: Response; readonly target: ModuleTarget },
): Promise<void> {
  const { request, response, target } = asked;
  try {
    const answer = await keptAnswer(use.store, target);
    if (answer !== undefined) {
      const exchange = { request, response, url: request.url ?? "", head: request.method === "HEAD" };
      await sendAnswer(use, exchange, { answer, path: target.path });
      return;
    }
  } catch {
    // The owner meets the same obstacle, and can say it, or repair it. Part of an answer can only be broken off.
    if (response.headersSent) {
      response.destroy();
      return;
    }
  }
  if (!response.destroyed) use.relay.forward(request, response);
}
