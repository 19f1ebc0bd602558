// A webhook's delivery: is it from somebody who knows a secret, was it taken before, what does it change.
//
// Whatever it says about a repository, the hook's own list decides which modules it may speak of. It only makes us look:
// what is fetched then is verified like anything else. So a replay can do no harm, and makes no work either.

import { createHash } from "node:crypto";
import { formatModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import { Deliveries } from "./deliveries.ts";
import type { Follower } from "./follower.ts";
import { isProven, rulesOf } from "./forges.ts";
import type { Change, Headers, Payload, Read } from "./forges.ts";
import { repositoryOf, rootOf } from "./hooks.ts";
import type { Forge, Hook } from "./hooks.ts";
import type { Modules } from "./ports.ts";
import { versionsOf } from "./tags.ts";

/**
 * Longest body. GitHub sends up to 25 MB, for a push of thousands of commits; what matters here is a URL and a name, and a
 * stranger's body is held in memory before its signature can be checked.
 */
export const maxDeliveryBytes = 4 << 20;
/** Bytes of bodies that are held at once. Those that came count, not what was promised: who sends slowly takes no place. */
export const maxHeldBytes = 32 << 20;

/** Reads at most so many bytes; `came` is told of each piece and may throw. */
export type ReadBody = (maxBytes: number, came: (bytes: number) => void) => Promise<Uint8Array>;

export type Delivered =
  | { readonly outcome: "accepted"; readonly module: string; readonly versions: readonly string[] }
  /** It was taken before; nothing is done. */
  | { readonly outcome: "replayed" }
  /** It changes nothing here. */
  | { readonly outcome: "ignored"; readonly reason: string }
  | { readonly outcome: "pong" };

export type WebhooksUse = {
  /** Those in force. */
  readonly hooks: () => readonly Hook[];
  readonly modules: Modules;
  readonly follower: Pick<Follower, "announce">;
  readonly events: EventSink;
  readonly meter: Pick<Meter, "webhook">;
};

export class Webhooks {
  readonly #use: WebhooksUse;
  readonly #deliveries = new Deliveries();
  #heldBytes = 0;

  constructor(use: WebhooksUse) {
    this.#use = use;
  }

  /**
   * Takes one delivery. Resolves when no process answers from memory any more about what it changed; fetching goes on
   * behind. Throws GRANARY_WEBHOOK_REFUSED, which does not say why, GRANARY_BAD_REQUEST for a proven body that is no
   * payload, GRANARY_TOKEN_NEEDS_TLS for a secret that was sent in the clear, and GRANARY_OVERLOADED.
   *
   * @param from.body not called for what is refused without it
   * @param from.isConfidential nobody on the way could read it
   */
  async deliver(
    forge: Forge,
    from: {
      readonly headers: Headers;
      readonly body: ReadBody;
      readonly isConfidential: boolean;
    },
  ): Promise<Delivered> {
    const { hooks, meter } = this.#use;
    const { headers } = from;
    const own = hooks().filter((hook) => hook.forge === forge);
    if (own.length === 0) throw this.#refused(forge, "no webhook of this forge is configured");
    if (!rulesOf(forge).hasProof(headers)) throw this.#refused(forge, "no signature");
    // As with tokens: what others may have read proves nothing.
    if (!rulesOf(forge).signsBody && !from.isConfidential)
      throw new GranaryError("GRANARY_TOKEN_NEEDS_TLS", { what: `/webhook/${forge}` });
    const body = await this.#read(from.body);
    // All of them, so that the time tells nothing of which one it nearly was.
    const proven = own.filter((hook) => isProven(forge, { headers, body, secret: hook.secret }));
    if (proven.length === 0) throw this.#refused(forge, "the signature is of no configured secret");
    const delivered = await this.#take(proven, { forge, headers, body });
    meter.webhook(forge, delivered.outcome);
    return delivered;
  }

  async #read(body: ReadBody): Promise<Uint8Array> {
    let own = 0;
    try {
      return await body(maxDeliveryBytes, (bytes) => {
        own += bytes;
        this.#heldBytes += bytes;
        if (this.#heldBytes > maxHeldBytes)
          throw new GranaryError("GRANARY_OVERLOADED", { limit: "bytes of webhook deliveries", value: maxHeldBytes });
      });
    } finally {
      this.#heldBytes -= own;
    }
  }

  async #take(
    proven: readonly Hook[],
    from: { readonly forge: Forge; readonly headers: Headers; readonly body: Uint8Array },
  ): Promise<Delivered> {
    const { forge, headers, body } = from;
    const names = namesOf(forge, headers, body);
    const read = this.#parse(forge, headers, body);
    if (read === "ping") return this.#told(proven, names, { outcome: "pong" });
    if (!this.#deliveries.take(names)) return this.#told(proven, names, { outcome: "replayed" });
    if (read === "other") return this.#told(proven, names, { outcome: "ignored", reason: "no push, tag or release" });
    try {
      const changed = await this.#change(proven, read);
      if ("reason" in changed) return this.#told(proven, names, { outcome: "ignored", reason: changed.reason });
      // What came to nothing may be delivered again: a person presses "redeliver" for a reason.
      void changed.followed?.then((how) => (how === "listed" ? undefined : this.#deliveries.release(names)));
      return this.#told(proven, names, { outcome: "accepted", module: changed.module, versions: changed.versions });
    } catch (error) {
      this.#deliveries.release(names);
      throw error;
    }
  }

  async #change(proven: readonly Hook[], change: Change) {
    const { modules, follower } = this.#use;
    const repository = repositoryOf(change.url);
    if (repository === undefined) return { reason: "its repository has no address that a module path can be made of" };
    const root = proven.map((hook) => rootOf(hook, repository)).find((path) => path !== undefined);
    if (root === undefined) return { reason: "its repository is not one of this webhook's" };
    await modules.forget(root);
    const candidates = change.kind === "tag" && !change.gone ? versionsOf(root, change.ref) : [];
    const followed = candidates.length === 0 ? undefined : follower.announce({ candidates, source: "webhook" });
    return { module: root, versions: candidates.map(formatModuleVersion), followed };
  }

  #parse(forge: Forge, headers: Headers, body: Uint8Array): Read {
    const payload = objectIn(body);
    const read = payload && rulesOf(forge).read(headers, payload);
    if (read !== undefined) return read;
    const reason =
      payload === undefined
        ? "its body is no JSON object (set its content type to application/json)"
        : "no repository and ref in it";
    throw new GranaryError("GRANARY_BAD_REQUEST", { target: `/webhook/${forge}`, reason });
  }

  #told(proven: readonly Hook[], names: readonly string[], delivered: Delivered): Delivered {
    const hook = proven[0]?.name ?? "-";
    const { outcome, ...more } = delivered;
    this.#use.events.emit({ name: "webhook.delivered", hook, delivery: names[0] ?? "-", outcome, ...more });
    return delivered;
  }

  #refused(forge: Forge, reason: string): GranaryError {
    this.#use.meter.webhook(forge, "refused");
    this.#use.events.emit({ name: "webhook.refused", forge, reason });
    return new GranaryError("GRANARY_WEBHOOK_REFUSED", { forge });
  }
}

/** A signature covers the body and not the headers: a replay under another name is found by its body. */
function namesOf(forge: Forge, headers: Headers, body: Uint8Array): string[] {
  const { delivery, signsBody } = rulesOf(forge);
  const said = delivery(headers);
  const names = said === undefined ? [] : [`${forge} ${said}`];
  return signsBody ? [...names, `${forge} sha256 ${createHash("sha256").update(body).digest("hex")}`] : names;
}

/** Undefined for what is not UTF-8, not JSON, or no object. */
function objectIn(body: Uint8Array): Payload | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Payload) : undefined;
  } catch {
    return undefined;
  }
}
