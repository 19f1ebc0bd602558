// Deliveries as forges send them: the headers and the fields that matter, small and made here.
import { createHmac, randomUUID } from "node:crypto";
import type { Forge } from "#services/sync/hooks.ts";

export type DeliveryOptions = {
  readonly forge: Forge;
  readonly secret: string;
  /** The URL that the repository is cloned from. */
  readonly url: string;
  /** `push`, `create`, `release`, …; GitLab's `object_kind`. */
  readonly event: string;
  /** Of a push: `refs/tags/v1.0.0`. */
  readonly ref?: string;
  /** More fields of the payload. */
  readonly fields?: object;
  /** The delivery's name; a new one without it. */
  readonly id?: string;
};

export type Delivery = {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly payload: Record<string, unknown>;
};

const commit = "7d5e0e9c1f2a3b4c5d6e7f8091a2b3c4d5e6f708";

export function deliveryOf(options: DeliveryOptions): Delivery {
  const { forge, secret, event, id = randomUUID() } = options;
  const payload = { ...payloadOf(options), ...options.fields };
  const body = Buffer.from(JSON.stringify(payload));
  const hmac = createHmac("sha256", secret).update(body).digest("hex");
  const headers = {
    github: { "x-github-event": event, "x-github-delivery": id, "x-hub-signature-256": `sha256=${hmac}` },
    gitlab: { "x-gitlab-event": `${event} hook`, "x-gitlab-event-uuid": id, "x-gitlab-token": secret },
    gitea: { "x-gitea-event": event, "x-gitea-delivery": id, "x-gitea-signature": hmac },
  }[forge];
  return { path: `/webhook/${forge}`, headers: { ...headers, "content-type": "application/json" }, body, payload };
}

function payloadOf({ forge, url, event, ref }: DeliveryOptions): Record<string, unknown> {
  const pushed = ref === undefined ? {} : { ref, before: "0".repeat(40), after: commit };
  if (forge === "gitlab") return { object_kind: event, project: { git_http_url: url }, ...pushed };
  return {
    repository: { clone_url: url },
    ...pushed,
    ...(forge === "github" && ref !== undefined && { deleted: false }),
  };
}
