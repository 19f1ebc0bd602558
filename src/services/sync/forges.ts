// What each forge sends: where its proof, its event and its delivery's name stand, and what of its payload matters.
//
//            proof                                             event            delivery
//   github   X-Hub-Signature-256: sha256= HMAC of the body     X-GitHub-Event   X-GitHub-Delivery
//   gitlab   X-Gitlab-Token: the secret itself                 in the body      Idempotency-Key, X-Gitlab-Event-UUID
//   gitea    X-Gitea-Signature: HMAC of the body               X-Gitea-Event    X-Gitea-Delivery
//
// Forgejo is a gitea. Sources: docs.github.com/webhooks, docs.gitlab.com/user/project/integrations/webhook_events,
// gitea modules/structs/hook.go.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Forge } from "./hooks.ts";
import { maxTagLength } from "./tags.ts";

/** Names in lower case, as node:http gives them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a delivery says. `gone`: the tag or branch is no more. */
export type Change = {
  /** The URL that the repository is cloned from. */
  readonly url: string;
  readonly kind: "tag" | "branch";
  readonly ref: string;
  readonly gone: boolean;
};

/** A change; a word about why there is none; or undefined: no payload of this forge. */
export type Read = Change | "ping" | "other";

type Rules = {
  /** What must be equal when the secret is right; undefined when the proof is missing or has no such form. */
  readonly proof: (headers: Headers, body: Uint8Array, secret: string) => readonly [string, string] | undefined;
  readonly hasProof: (headers: Headers) => boolean;
  /** The delivery's own name: the same when it is sent again. */
  readonly delivery: (headers: Headers) => string | undefined;
  /** The proof covers the body, so that the same body again is the same delivery. */
  readonly signsBody: boolean;
  readonly read: (headers: Headers, payload: Payload) => Read | undefined;
};

/** A JSON object of somebody else's making. */
export type Payload = Readonly<Record<string, unknown>>;

const rules: Readonly<Record<Forge, Rules>> = {
  github: {
    ...hmacIn("x-hub-signature-256", /^sha256=([0-9a-f]{64})$/i),
    delivery: (headers) => one(headers, "x-github-delivery"),
    signsBody: true,
    read: (headers, payload) => readGitHub(one(headers, "x-github-event"), payload),
  },
  gitlab: {
    proof: (headers, _body, secret) => {
      const token = one(headers, "x-gitlab-token");
      return token === undefined ? undefined : [token, secret];
    },
    hasProof: (headers) => one(headers, "x-gitlab-token") !== undefined,
    delivery: (headers) => one(headers, "idempotency-key") ?? one(headers, "x-gitlab-event-uuid"),
    signsBody: false,
    read: (_headers, payload) => readGitLab(payload),
  },
  gitea: {
    ...hmacIn("x-gitea-signature", /^([0-9a-f]{64})$/i),
    delivery: (headers) => one(headers, "x-gitea-delivery"),
    signsBody: true,
    read: (headers, payload) => readGitHub(one(headers, "x-gitea-event"), payload),
  },
};

export function rulesOf(forge: Forge): Rules {
  return rules[forge];
}

/** Whether whoever sent this knows the secret. Takes the same time for every wrong one. */
export function isProven(forge: Forge, from: { headers: Headers; body: Uint8Array; secret: string }): boolean {
  const pair = rules[forge].proof(from.headers, from.body, from.secret);
  if (pair === undefined || from.secret === "") return false;
  const [said, wanted] = pair.map((text) => createHash("sha256").update(text).digest());
  return said !== undefined && wanted !== undefined && timingSafeEqual(said, wanted);
}

function hmacIn(header: string, form: RegExp): Pick<Rules, "proof" | "hasProof"> {
  const said = (headers: Headers): string | undefined => form.exec(one(headers, header) ?? "")?.[1];
  return {
    proof: (headers, body, secret) => {
      const found = said(headers);
      if (found === undefined) return undefined;
      return [found.toLowerCase(), createHmac("sha256", secret).update(body).digest("hex")];
    },
    hasProof: (headers) => said(headers) !== undefined,
  };
}

/** GitHub's payloads, and gitea's, which are made after them. */
function readGitHub(event: string | undefined, payload: Payload): Read | undefined {
  if (event === "ping") return "ping";
  const url = textAt(payload, "repository", "clone_url");
  const ref = textAt(payload, "ref");
  switch (event) {
    case "push": {
      const gone = payload["deleted"] === true || isNothing(textAt(payload, "after"));
      return url === undefined || ref === undefined ? undefined : fullRef(url, ref, gone);
    }
    case "create":
    case "delete": {
      const kind = textAt(payload, "ref_type");
      if (url === undefined || ref === undefined || kind === undefined) return undefined;
      if (kind !== "tag" && kind !== "branch") return "other";
      return { url, kind, ref, gone: event === "delete" };
    }
    case "release": {
      const tag = textAt(payload, "release", "tag_name");
      if (url === undefined || tag === undefined) return undefined;
      // A draft has no tag yet, and an edited text changes none.
      const isNew = ["published", "released", "prereleased"].includes(textAt(payload, "action") ?? "");
      return isNew ? { url, kind: "tag", ref: tag, gone: false } : "other";
    }
    case undefined:
      return undefined;
    default:
      return "other";
  }
}

/** Project and group hooks name the event as `object_kind`, system hooks as `event_name`. */
function readGitLab(payload: Payload): Read | undefined {
  const kind = textAt(payload, "object_kind") ?? textAt(payload, "event_name");
  const url = textAt(payload, "project", "git_http_url");
  switch (kind) {
    case "push":
    case "tag_push": {
      const ref = textAt(payload, "ref");
      if (url === undefined || ref === undefined) return undefined;
      return fullRef(url, ref, isNothing(textAt(payload, "after")));
    }
    case "release": {
      const tag = textAt(payload, "tag");
      if (url === undefined || tag === undefined) return undefined;
      return textAt(payload, "action") === "create" ? { url, kind: "tag", ref: tag, gone: false } : "other";
    }
    case undefined:
      return undefined;
    default:
      return "other";
  }
}

function fullRef(url: string, ref: string, gone: boolean): Read {
  const [, space, name = ""] = /^refs\/(heads|tags)\/(.+)$/s.exec(ref) ?? [];
  if (space === undefined) return "other";
  return { url, kind: space === "tags" ? "tag" : "branch", ref: name, gone };
}

/** The commit of a ref that is no more: SHA-1 or SHA-256 of zeros. */
function isNothing(commit: string | undefined): boolean {
  return commit !== undefined && /^(0{40}|0{64})$/.test(commit);
}

/** Longest text that is looked at: a URL, or `refs/tags/` and a tag. */
const maxText = 1_000 + maxTagLength;

function textAt(payload: Payload, ...keys: readonly string[]): string | undefined {
  let at: unknown = payload;
  for (const key of keys) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Payload)[key];
  }
  return typeof at === "string" && at !== "" && at.length <= maxText ? at : undefined;
}

function one(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== "" && value.length <= maxHeader ? value : undefined;
}

/** Tokens and names of deliveries are far shorter. */
const maxHeader = 512;
