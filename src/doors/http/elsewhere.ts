// Sending a client elsewhere for a file that is not here yet: to an upstream, or to where it waits for it.
//
//   302 Location: https://proxy.golang.org/rsc.io/quote/@v/v1.0.0.zip    X-Granary-Unverified: official
//   302 Location: ../../../_build/<id>-1/rsc.io/quote/@v/v1.0.0.zip
//
// The second is relative, so that it also leads home behind a reverse proxy that adds a prefix.

import { formatTarget, maxBuildTurn } from "#protocol/request.ts";
import type { BuildTarget, ModuleTarget } from "#protocol/request.ts";
import type { Elsewhere } from "#services/proxy/misses.ts";
import { untilAborted } from "#services/proxy/single-flight.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Exchange } from "./answers.ts";
import { redirect } from "./send.ts";

/** One wait at `/_build`: below what common gateways wait for an answer (60 s). Then the client is sent there again. */
const pollMs = 50_000;

/** 302, which nobody may remember. */
export function sendElsewhere({ response, url }: Exchange, target: ModuleTarget, elsewhere: Elsewhere): void {
  const { at } = elsewhere;
  const location = at === "upstream" ? elsewhere.url : relative(url, { kind: "build", turn: 1, target });
  const unverified = at === "upstream" ? ["X-Granary-Unverified", elsewhere.upstream] : [];
  redirect(response, location, ["X-Go-Proxy-Cache", "MISS", "X-Go-Proxy-Status", "-|MISS", ...unverified]);
}

/**
 * What `work` resolves to; undefined when the client was sent to the same place again because it takes long. The last
 * turn waits as long as it takes. `work` goes on in any case.
 */
export async function untilTurnIsOver<T>(
  exchange: Exchange,
  target: BuildTarget,
  { work, clock, signal }: { readonly work: Promise<T>; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T | undefined> {
  if (target.turn >= maxBuildTurn) return await work;
  const over = new AbortController();
  const late = clock.sleep(pollMs, AbortSignal.any([signal, over.signal])).then(() => undefined);
  late.catch(() => undefined); // whichever comes second
  work.catch(() => undefined);
  try {
    const done = await untilAborted(Promise.race([work.then((value) => ({ value })), late]), signal);
    if (done !== undefined) return done.value;
  } finally {
    over.abort();
  }
  redirect(exchange.response, relative(exchange.url, { ...target, turn: target.turn + 1 }), []);
  return undefined;
}

/** From the request's own folder up to the root of this server, and down again. */
function relative(url: string, to: BuildTarget): string {
  return "../".repeat(url.split("/").length - 2) + formatTarget(to).slice(1);
}
