// `granary store gc` beside a running server, as a test waits for it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runGranary } from "./granary.ts";

/** Where `path@version` has its zip, on a proxy and below modules/ in a store. */
export const zipOf = (id: string): string => `/${id.replace("@", "/@v/")}.zip`;

export const isKept = (store: string, id: string): boolean => existsSync(join(store, "modules", zipOf(id)));

/** 1 says that pins or private modules hold more than the size allows. */
export async function gc(store: string, ...flags: string[]): Promise<void> {
  const { code, stderr } = await runGranary(["store", "gc", `--store=${store}`, ...flags]);
  assert.ok(code === 0 || code === 1, stderr);
}

/** Arrivals are told to the index every two seconds: what it does not know yet does not leave. */
export async function gcUntilGone(store: string, id: string, ...flags: string[]): Promise<void> {
  for (let n = 0; n < 20 && isKept(store, id); n++) {
    await gc(store, "--max-size=1B", ...flags);
    if (isKept(store, id)) await sleep(500);
  }
  assert.ok(!isKept(store, id), `${id} stays`);
}

/** What the server has open it may answer once more. */
export async function noLongerAnswered(url: string, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const statuses: number[] = [];
    while (statuses.at(-1) !== 404 && statuses.length < 20)
      statuses.push((await fetch(`${url}/cached-only${zipOf(id)}`)).status);
    assert.equal(statuses.at(-1), 404, `${id}: ${statuses.join(" ")}`);
  }
}
