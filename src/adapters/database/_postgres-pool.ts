// Connections to PostgreSQL: few, bounded in every wait, and none whose end ends the process. While the server is away
// calls fail at once, and now and then one of them finds out whether it is back.

import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { IndexUnavailable } from "#services/tending/ports.ts";
import type { IndexTrouble } from "#services/tending/ports.ts";
import type { Pool, PoolClient, PoolConfig } from "./_driver-postgres.ts";
import { knownSchema, NewerSchema } from "./_postgres-schema.ts";
import type { PostgresPlace } from "./_postgres-url.ts";

/** Connections of one process. Of these at most `maxHeld` are held for long; the others serve statements. */
const poolSize = 6;
export const maxHeld = 3;
/** Until a connection stands, or one is free. */
const connectMs = 3_000;
/** Longest a statement waits for a row that another has locked. */
const lockMs = 2_000;
/** Longest statement; the longest is the sum over all versions. The server ends it, and we do when it does not. */
const statementMs = 5_000;
/** Beyond the server's own limit: then the server is frozen, or the way to it is. */
const graceMs = 1_000;
/** A transaction whose program sleeps holds rows that others want. */
const idleTransactionMs = 10_000;
const idleMs = 30_000;
/** After a failure to reach it calls fail at once for so long. */
const pauseMs = 1_000;
/** How often a statement is tried that was undone, or that changes nothing more when done again. */
const maxTries = 4;
/** Goodbyes are not waited for longer. */
const closeMs = 1_000;
/** Of what the server says, in our errors. */
const maxSaid = 160;

export type PostgresState = { readonly isUp: boolean; readonly reason: string };

/** What a piece of work may stand: `writes`: it needs a server that takes writes. `again`: doing it twice is doing it once. */
export type Ask = { readonly writes: boolean; readonly again: boolean };

export type PostgresDriver = { readonly Pool: new (config: PoolConfig) => Pool };

export type PostgresPoolUse = {
  readonly place: PostgresPlace;
  readonly driver: PostgresDriver;
  /** Run once before anything else after each time the server was away. */
  readonly prepare: (client: PoolClient) => Promise<void>;
  /** Told when it is away, and when it is back. */
  readonly onState: (state: PostgresState) => void;
  /** Longest statement, for tests. */
  readonly statementMs?: number;
};

export class PostgresPool {
  readonly #use: PostgresPoolUse;
  readonly #pool: Pool;
  readonly #sockets = new Set<Socket>();
  #ready: Promise<void> | undefined;
  #down: { readonly failure: IndexUnavailable; readonly untilMs: number } | undefined;

  constructor(use: PostgresPoolUse) {
    this.#use = use;
    const limitMs = use.statementMs ?? statementMs;
    this.#pool = new use.driver.Pool({
      ...use.place,
      application_name: "granary",
      max: poolSize,
      connectionTimeoutMillis: connectMs,
      idleTimeoutMillis: idleMs,
      allowExitOnIdle: true,
      keepAlive: true,
      lock_timeout: Math.min(lockMs, limitMs),
      statement_timeout: limitMs,
      query_timeout: limitMs + graceMs,
      idle_in_transaction_session_timeout: idleTransactionMs,
      stream: () => this.#socket(),
    });
    // A connection that ends while nobody asks anything: the next one who asks finds out.
    this.#pool.on("error", () => undefined);
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
  }

  /** Ours, so that those of a frozen server can be let go. */
  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }

  /** One piece of work on one connection. Throws IndexUnavailable, and what `work` throws by itself. */
  async run<T>(ask: Ask, work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const down = this.#down;
      if (down !== undefined && performance.now() < down.untilMs) throw down.failure;
      const asked = { isSent: false };
      try {
        const result = await this.#once(asked, work);
        this.#isUp(ask);
        return result;
      } catch (error) {
        const code = codeOf(error);
        const isUndone = code === "40P01" || code === "40001";
        // A connection may have ended while it was idle; whether the server is there, a new one tells.
        const mayAgain = isUndone || (ask.again && asked.isSent && isLost(error));
        if (mayAgain && tries < maxTries) {
          await sleep(Math.random() * 20 * 2 ** tries);
          continue;
        }
        throw this.#failed(error);
      }
    }
  }

  async #once<T>(asked: { isSent: boolean }, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let end: Error | undefined;
    try {
      // Known to one at a time: the others wait for it.
      await (this.#ready ??= this.#use.prepare(client).catch((error: unknown) => {
        this.#ready = undefined;
        throw error;
      }));
      asked.isSent = true;
      return await work(client);
    } catch (error) {
      if (!isStatement(error)) end = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(end);
    }
  }

  #isUp({ writes }: Ask): void {
    const down = this.#down;
    if (down === undefined || (down.failure.kind === "read-only" && !writes)) return;
    this.#down = undefined;
    this.#use.onState({ isUp: true, reason: "" });
  }

  /** What is thrown, after it is noted. */
  #failed(error: unknown): Error {
    const failure = inOurWords(error);
    if (failure === undefined) return error as Error;
    if (failure.kind === "busy" || failure.kind === "failed") return failure;
    this.#ready = undefined;
    const isNews = this.#down?.failure.message !== failure.message;
    // Reads go on while it takes no writes.
    const pause = failure.kind === "read-only" ? 0 : pauseMs;
    this.#down = { failure, untilMs: performance.now() + pause };
    if (isNews) this.#use.onState({ isUp: false, reason: failure.message });
    return failure;
  }

  /** Says goodbye; connections of a server that does not answer are let go. */
  async close(): Promise<void> {
    const ended = this.#pool.end().catch(() => undefined);
    await Promise.race([ended, sleep(closeMs, undefined, { ref: false })]);
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Errors after which the connection is as good as before. */
function isStatement(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(08|25|57P|53|XX|42P01|42703)/.test(code);
}

function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === "ECONNRESET" || code === "EPIPE" || /^(57P01|08)/.test(code ?? "") || /terminated/.test(messageOf(error))
  );
}

const words: Readonly<Record<string, readonly [IndexTrouble, string]>> = {
  "28P01": ["refused", "it refuses the user or the password"],
  "28000": ["refused", "it refuses the user, or a connection without TLS"],
  "3D000": ["refused", "there is no such database"],
  "42501": ["refused", "the user lacks a right (docs/postgres.md)"],
  "42P01": ["refused", "a table is missing"],
  "42703": ["refused", "a table is not as this program made it"],
  "25006": ["read-only", "it takes no writes"],
  "53300": ["away", "it has no connection left"],
  "53100": ["away", "its disk is full"],
  "57014": ["busy", "a statement took too long"],
  "55P03": ["busy", "a row was locked for too long"],
  "40P01": ["busy", "a deadlock"],
  "40001": ["busy", "a conflict with another transaction"],
  "25P03": ["busy", "a transaction was idle for too long"],
  "57P01": ["away", "it ended the connection"],
  "57P02": ["away", "it ended the connection"],
  "57P05": ["away", "it ended the connection"],
  "57P03": ["away", "it is starting or stopping"],
  ECONNREFUSED: ["away", "nobody listens there"],
  ECONNRESET: ["away", "the connection broke"],
  EPIPE: ["away", "the connection broke"],
  ENOTFOUND: ["away", "its host has no address"],
  EAI_AGAIN: ["away", "its host has no address now"],
  ETIMEDOUT: ["away", "no answer in time"],
  EHOSTUNREACH: ["away", "no way to its host"],
  ENETUNREACH: ["away", "no way to its host"],
  ENOENT: ["away", "there is no such socket"],
};

/** Undefined for what is not of the driver. The driver's own errors are not handed on: they may quote what was sent. */
function inOurWords(error: unknown): IndexUnavailable | undefined {
  if (error instanceof IndexUnavailable) return error;
  if (error instanceof NewerSchema)
    return new IndexUnavailable(
      `PostgreSQL: its tables are of a newer Granary (schema ${error.found}, this one knows ${knownSchema})`,
      "newer",
    );
  const code = codeOf(error) ?? "";
  const message = messageOf(error);
  const [kind, text] = words[code] ?? [undefined, ""];
  if (kind !== undefined) return new IndexUnavailable(`PostgreSQL: ${text} (${code})`, kind);
  // The pool's and the client's own limits have no codes.
  if (/timeout exceeded when trying to connect/.test(message))
    return new IndexUnavailable("PostgreSQL: no connection in time", "away");
  if (/timeout/i.test(message)) return new IndexUnavailable("PostgreSQL: no answer in time", "away");
  if (/terminated|not queryable|Cannot use a pool/.test(message))
    return new IndexUnavailable("PostgreSQL: the connection broke", "away");
  if (/does not support SSL/.test(message)) return new IndexUnavailable("PostgreSQL: it speaks no TLS", "refused");
  if (/^(53|57|58|08|XX)/.test(code)) return new IndexUnavailable(`PostgreSQL: ${said(message)} (${code})`, "away");
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code))
    return new IndexUnavailable(`PostgreSQL: its certificate is not trusted (${said(code)})`, "refused");
  if (error instanceof AggregateError) return inOurWords(error.errors[0]);
  if (code === "") return /password/i.test(message) ? noPassword() : undefined;
  return new IndexUnavailable(`PostgreSQL: ${said(message)} (${said(code)})`, "failed");
}

function noPassword(): IndexUnavailable {
  return new IndexUnavailable("PostgreSQL: it wants a password, or the one given is not a text", "refused");
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line, bounded, as it may be shown. */
function said(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, maxSaid);
}
