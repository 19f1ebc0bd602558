// A chain of two played upstreams, A and B, and a clock that goes on by itself whenever everybody waits: minutes of
// silence, back-off and hedging pass in milliseconds.
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import { Health } from "#services/upstreams/health.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { FaultReason, UpstreamClient, UpstreamResponse } from "#services/upstreams/ports.ts";
import { Unusable, walk } from "#services/upstreams/walk.ts";
import type { WalkResult, WalkUse } from "#services/upstreams/walk.ts";
import type { Outcome, Separator } from "./fallback-cells.ts";

/** Time passes when nothing else can happen; then at once to the next moment somebody waits for. */
export class WaitingClock {
  #now = Date.parse("2026-01-01T00:00:00Z");
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  #turning = false;

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const giveUp = (): void => {
        this.#sleepers.delete(sleeper);
        reject(new Error("woken by an abort"));
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      this.#turn();
    });
  }
}

/** How long a client waits for a silent upstream before it calls it a timeout. */
const headersTimeoutMs = 30_000;
/** After which the next upstream is asked as well. */
const silenceMs = 10_000;
/** A retry storm in a test must end: no cell needs so many requests. */
const maxRequests = 200;

export type PlayedWalk = {
  readonly mode: WalkUse["mode"];
  readonly a: Outcome;
  readonly b: Outcome;
  readonly separator?: Separator;
  /** What the operator said of both, or of one. */
  readonly details?: (name: "A" | "B") => Partial<Upstream>;
};

export type Played = {
  readonly result: WalkResult<string>;
  /** `A`, `B` for every request, in order. */
  readonly asked: string;
};

/** One walk with fresh health. */
export async function playWalk(play: PlayedWalk): Promise<Played> {
  const clock = new WaitingClock();
  const asked: string[] = [];
  const outcomeOf: Readonly<Record<string, Outcome>> = { A: play.a, B: play.b };
  const client: UpstreamClient = {
    get: async ({ name }, { signal }) => {
      asked.push(name);
      if (asked.length > maxRequests) throw new Error("the walk never ends");
      const outcome = outcomeOf[name] ?? "404";
      if (outcome === "silent") await clock.sleep(headersTimeoutMs, signal);
      const reason = faultOf[outcome];
      if (reason !== undefined) throw new UpstreamFault(name, reason, reason);
      return respond(name, outcome);
    },
    close: () => Promise.resolve(),
  };
  const upstream = (name: "A" | "B", separator: Upstream["separator"]): Upstream => ({
    name,
    url: `http://${name.toLowerCase()}.test`,
    redirectCidrs: [],
    kind: "http",
    separator,
    authoritative: false,
    absentStatuses: [404, 410],
    privatePatterns: "",
    public: true,
    priority: 1,
    rollback: false,
    ...play.details?.(name),
  });
  const upstreams = [upstream("A", play.separator ?? ","), upstream("B", "")];
  const chain: Chain = { upstreams, hadDirect: false, hadOff: false, own: [] };
  const patience = { silenceMs, lateMs: () => silenceMs, hedgeMs: () => undefined, hedged: () => undefined };
  const use = { client, health: new Health({ clock }), mode: play.mode, clock, privatePatterns: "", patience };
  const result = await walk(chain, use, {
    kind: "info",
    path: "/m.test/x/@v/v1.0.0.info",
    maxBytes: 1000,
    module: "m.test/x",
    signal: new AbortController().signal,
    accept: readGood,
  });
  return { result, asked: asked.join("") };
}

/** `A`, `B` (whose file), absent, refused, failed, nobody. */
export function resultOf({ result }: Played): string {
  return result.kind === "found" ? result.value : result.kind;
}

const faultOf: Readonly<Partial<Record<Outcome, FaultReason>>> = {
  refused: "refused",
  reset: "reset",
  silent: "timeout",
};

function respond(name: string, outcome: Outcome): UpstreamResponse {
  const isUseless = outcome === "html" || outcome === "garbage";
  const isWhole = outcome !== "truncated";
  return {
    status: isUseless || !isWhole ? 200 : Number(outcome),
    headers: { "content-type": outcome === "html" ? "text/html" : "text/plain; charset=utf-8" },
    url: `http://${name.toLowerCase()}.test/`,
    body: (async function* () {
      await Promise.resolve();
      yield new TextEncoder().encode(isUseless ? outcome : name);
      if (!isWhole) throw new UpstreamFault(name, "truncated", "the body ends early");
    })(),
    cancel: () => undefined,
  };
}

async function readGood(response: UpstreamResponse): Promise<string> {
  let text = "";
  for await (const chunk of response.body) text += new TextDecoder().decode(chunk);
  if (text === "html") throw new Unusable("WEB_PAGE", "answered with a web page");
  if (text === "garbage") throw new Unusable("BAD_MODULE", "not what was asked for");
  return text;
}
