// What is short: absences, rates and nodes in Redis.

import { CoordinationDown } from "#services/cluster/ports.ts";
import type { NodeReport, Nodes, SharedAbsence, SharedAbsences, SharedRates } from "#services/cluster/ports.ts";
import { nodeReportMs } from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Keys } from "./_redis-keys.ts";
import { shortened } from "./_redis-keys.ts";
import type { RedisLink } from "./_redis-link.ts";
import { admitRate, findAbsence, reportNode } from "./_redis-scripts.ts";
import { Refused } from "./_redis-wire.ts";
import { maxText, readAbsence, readReport } from "./_values.ts";

type Use = { readonly link: RedisLink; readonly keys: Keys; readonly clock: Clock };

/** However long it is said to last. */
const maxAbsenceMs = 24 * 3_600_000;
/** Commands of one call on their way at once. */
const batch = 64;

/** Foreign data under our key is no answer; only Redis itself can be down. */
function isForeign(error: unknown): boolean {
  return error instanceof CoordinationDown && error.cause instanceof Refused && error.message.includes("WRONGTYPE");
}

export class RedisAbsences implements SharedAbsences {
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  /** Times are by our clock, whatever the clock of the node that wrote it shows. */
  async find(key: string): Promise<SharedAbsence | undefined> {
    const { link, keys, clock } = this.#use;
    let reply;
    try {
      reply = await link.run(findAbsence, [keys.absence(key)], []);
    } catch (error) {
      if (isForeign(error)) return undefined;
      throw error;
    }
    const [text, leftMs] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    const said = typeof text === "string" ? readAbsence(text) : undefined;
    if (said === undefined || typeof leftMs !== "number" || leftMs <= 0) return undefined;
    const untilMs = clock.now() + leftMs;
    return { ...said, sinceMs: untilMs - Math.max(0, said.untilMs - said.sinceMs), untilMs };
  }

  async add(key: string, absence: SharedAbsence): Promise<void> {
    const { link, keys, clock } = this.#use;
    const leftMs = Math.min(maxAbsenceMs, Math.floor(absence.untilMs - clock.now()));
    const { reason, by, sinceMs, untilMs } = absence;
    const text = JSON.stringify({ reason, by, sinceMs, untilMs });
    if (leftMs <= 0 || text.length > maxText) return;
    await link.call(keys.absence(key), ["SET", keys.absence(key), text, "PX", String(leftMs)]);
  }

  async forget(keys: readonly string[]): Promise<void> {
    const { link, keys: names } = this.#use;
    for (let at = 0; at < keys.length; at += batch) {
      const some = keys.slice(at, at + batch).map((key) => names.absence(key));
      // One command each: in a cluster they are in different places.
      await Promise.all(some.map((key) => link.call(key, ["UNLINK", key])));
    }
  }
}

export class RedisRates implements SharedRates {
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  async admit(key: string, rule: { readonly perSecond: number; readonly coolDownMs: number }): Promise<number> {
    const { link, keys } = this.#use;
    const values = [String(rule.perSecond), String(Math.max(1, Math.round(rule.coolDownMs)))];
    const reply = await link.run(admitRate, [keys.rate(key)], values);
    const [left] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    if (typeof left !== "number") throw new CoordinationDown("not an answer about a rate");
    return left;
  }
}

/** Nodes of one cluster that are listed. */
const maxNodes = 256;
/** A node that missed two reports is slow, one that missed three is gone. */
const reportsMissed = 3;

export class RedisNodes implements Nodes {
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  async report(report: NodeReport): Promise<void> {
    const { link, keys } = this.#use;
    const { node, version, requests, perSecond, atMs } = report;
    const text = JSON.stringify({ node, version, requests, perSecond, atMs });
    const values = [shortened(node), text, String(reportsMissed * nodeReportMs)];
    await link.run(reportNode, [keys.nodes, keys.node(node)], values);
  }

  async list(): Promise<readonly NodeReport[]> {
    const { link, keys } = this.#use;
    const names = await link.call(keys.nodes, ["ZRANGE", keys.nodes, "0", String(maxNodes - 1)]);
    if (!Array.isArray(names)) return [];
    const found = (names as readonly unknown[])
      .filter((name) => typeof name === "string")
      .map((name) => keys.node(name));
    const texts = await Promise.all(found.map((key) => this.#read(key)));
    const reports = texts.map((text) => (typeof text === "string" ? readReport(text) : undefined));
    return reports.filter((report) => report !== undefined).sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async #read(key: string): Promise<unknown> {
    const { link } = this.#use;
    return await link.call(key, ["GET", key]).catch((error: unknown) => {
      if (isForeign(error)) return null;
      throw error;
    });
  }
}
