// The checksum database as go asks it: each proxy of the list whether it relays it, then one lookup, and the tiles that
// prove the record. Source: cmd/go modfetch/sumdb.go initBase; protocol reference §5.6.

import type { ModuleVersion } from "#protocol/version.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { decide } from "#services/sumdb/go-decision.ts";
import type { DecisionWay, GoSettings } from "#services/sumdb/go-decision.ts";
import type { Try } from "./http-chain.ts";
import type { Fetch } from "./http-fetch.ts";
import { endText, lastExchange, outcomeOf } from "./http-outcome.ts";
import type { RecordProver } from "./http-ports.ts";
import type { Database, Step, Tiles } from "./http-simulation.ts";

export type AskDatabaseUse = {
  readonly settings: GoSettings;
  readonly prover: RecordProver;
  readonly signal: AbortSignal;
  readonly fetch: (url: string, maxBytes: number) => Promise<Fetch>;
  readonly onStep: (step: Step) => void;
};

type Asked = { readonly database: Database; readonly tiles: Tiles };

const noTiles: Tiles = { count: 0, bytes: 0, ms: 0 };
/** The body of /supported is ignored. */
const maxSupportedBytes = 64 * 1024;

export async function askDatabase(id: ModuleVersion, use: AskDatabaseUse): Promise<Asked> {
  const { outcome } = decide(use.settings, id.path);
  if (outcome.kind === "unverified") return { database: { kind: "unasked" }, tiles: noTiles };
  if (outcome.kind === "refused") return { database: { kind: "refused", sentence: outcome.sentence }, tiles: noTiles };
  const { database: name, key, ways } = outcome;
  const way = await findWay(ways, use);
  if (way === undefined) return { database: { kind: "stopped", name }, tiles: noTiles };
  return await prove(id, { ...use, name, key, ...way });
}

type Way = { readonly base: string; readonly hop: number };

/** The first way that is open; undefined when go stops before it finds one. */
async function findWay(ways: readonly DecisionWay[], { fetch, onStep }: AskDatabaseUse): Promise<Way | undefined> {
  const tries: Try[] = [];
  const done = (end: Step["walk"]["end"]): void => {
    if (tries.length > 0) onStep({ name: "supported", walk: { tries, end } });
  };
  for (const [at, way] of ways.entries()) {
    if (way.via === "direct") {
      done("direct");
      return { base: way.url, hop: 0 };
    }
    const fetched = await fetch(`${way.url}/supported`, maxSupportedBytes);
    const outcome = outcomeOf(fetched);
    const hop = at + 1;
    tries.push({ hop, base: way.url, fetch: fetched, outcome, unusable: undefined });
    if (outcome === "ok") {
      done("ok");
      return { base: way.url, hop };
    }
    if (outcome === "error" && way.next !== "failure") break;
  }
  done("stopped");
  return undefined;
}

async function prove(
  id: ModuleVersion,
  use: AskDatabaseUse & Way & { readonly name: string; readonly key: string },
): Promise<Asked> {
  const { prover, key, signal, base, hop, name } = use;
  let tiles = noTiles;
  const ask = async (path: string, maxBytes: number) => {
    const fetched = await use.fetch(base.replace(/\/+$/, "") + path, maxBytes);
    const last = lastExchange(fetched);
    if (path.startsWith("/lookup/")) {
      const outcome = outcomeOf(fetched);
      const tried: Try = { hop, base, fetch: fetched, outcome, unusable: undefined };
      use.onStep({ name: "lookup", walk: { tries: [tried], end: outcome === "error" ? "stopped" : outcome } });
    } else {
      const { count, bytes, ms } = tiles;
      tiles = { count: count + 1, bytes: bytes + (last?.body.length ?? 0), ms: ms + (last?.phases.totalMs ?? 0) };
    }
    if (fetched.end.kind !== "answer") throw new Error(endText(fetched.end));
    return { status: fetched.end.status, bytes: fetched.end.exchange.body };
  };
  const proof = await prover.prove(id, { key, ask, signal });
  return { database: { kind: "asked", name, base: withoutCredentials(base), proof }, tiles };
}
