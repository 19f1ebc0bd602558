// Who may read private modules, and who may change anything. Two questions, asked by every door in the same way.

import type { Scope, TokenRecord, Tokens } from "./tokens.ts";

/** What a door knows of who is asking. */
export type Caller = {
  /** The address of the other end is a loopback address. */
  readonly loopback: boolean;
  /** The connection is encrypted. */
  readonly secure: boolean;
  /** The Authorization header as it came. */
  readonly authorization?: string | undefined;
};

export type Verdict =
  | { readonly verdict: "allow"; readonly who: string }
  /** No or a wrong token; `reason` says which. */
  | { readonly verdict: "challenge"; readonly reason: "missing" | "wrong" | "insecure" }
  /** Nobody may: no token that opens this exists. */
  | { readonly verdict: "closed" };

export class Access {
  readonly #tokens: Tokens;
  readonly #privateReaders: "tokens" | "anyone";

  constructor(tokens: Tokens, privateReaders: "tokens" | "anyone") {
    this.#tokens = tokens;
    this.#privateReaders = privateReaders;
  }

  /** May `caller` read private modules? Loopback callers may; others need a read token. */
  async mayReadPrivate(caller: Caller): Promise<Verdict> {
    if (this.#privateReaders === "anyone") return { verdict: "allow", who: "anyone" };
    if (caller.loopback) return { verdict: "allow", who: "loopback" };
    return await this.#withToken(caller, "read");
  }

  /** May `caller` change anything? Only with a write token, wherever it comes from. */
  async mayWrite(caller: Caller): Promise<Verdict> {
    if (!(await this.#tokens.anyFor("write"))) return { verdict: "closed" };
    return await this.#withToken(caller, "write");
  }

  /** The id of the token that `caller` holds, whatever it opens; undefined without a good one. */
  async holder(caller: Caller): Promise<string | undefined> {
    const verdict = await this.#withToken(caller, "read");
    return verdict.verdict === "allow" ? verdict.who : undefined;
  }

  async #withToken(caller: Caller, scope: Scope): Promise<Verdict> {
    const text = tokenIn(caller.authorization);
    if (text === undefined) return { verdict: "challenge", reason: "missing" };
    // A token that travelled in the clear is no longer a secret: refuse it before looking at it.
    if (!caller.secure && !caller.loopback) return { verdict: "challenge", reason: "insecure" };
    const record: TokenRecord | undefined = await this.#tokens.check(text, scope);
    return record === undefined ? { verdict: "challenge", reason: "wrong" } : { verdict: "allow", who: record.id };
  }
}

/** Longest Authorization header looked at. */
const maxAuthorization = 1024;

/** The token in `Bearer TOKEN`, or the password in `Basic base64(user:TOKEN)` (RFC 7617, RFC 6750). */
export function tokenIn(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > maxAuthorization) return undefined;
  const [scheme = "", value = ""] = authorization.split(" ", 2);
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
