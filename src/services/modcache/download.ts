// What the go command says of its downloads: `go mod download -json` (cmd/go modcmd ModuleJSON, protocol reference §9.1)
// and the lines of `-x`.

import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { withoutCredentials } from "#services/findings/redact.ts";

export type Downloaded = {
  readonly id: ModuleVersion;
  /** Undefined when it was downloaded. */
  readonly error: string | undefined;
};

/** A stream of indented objects, one after the other. What is no module is left out. */
export function parseDownloads(stdout: string): readonly Downloaded[] {
  return stdout
    .split(/^(?=\{)/m)
    .flatMap(objectIn)
    .flatMap(({ Path: path, Version: version, Error: error }) => {
      if (typeof path !== "string" || typeof version !== "string") return [];
      try {
        const id = checkModuleVersion(path, version);
        return [{ id, error: typeof error === "string" ? withoutCredentials(error) : undefined }];
      } catch (failure) {
        if (failure instanceof ProtocolError) return [];
        throw failure;
      }
    });
}

type Fields = { readonly [name in "Path" | "Version" | "Error"]?: unknown };

function objectIn(text: string): Fields[] {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? [json] : [];
  } catch {
    return [];
  }
}

export type RequestKind = "list" | "latest" | "info" | "mod" | "zip" | "sumdb" | "other";

/** One request of a go command and how it ended. */
export type TracedRequest = {
  readonly url: string;
  readonly kind: RequestKind;
  /** `200 OK`, or an error. */
  readonly answer: string;
  readonly ms: number | undefined;
};

/** Requests that are kept of a trace. */
const maxRequests = 10_000;

/** Reads `# get URL` and `# get URL: 200 OK (0.123s)`; a request without an answer was under way when go ended. */
export function parseTrace(stderr: string): readonly TracedRequest[] {
  const open = new Map<string, number>();
  const requests: TracedRequest[] = [];
  for (const line of stderr.split("\n")) {
    const [, url = "", answer] = /^# get ([^\s:]+:\/\/\S+?)(?:: (.*))?$/.exec(line) ?? [];
    if (url === "" || requests.length >= maxRequests) continue;
    const clean = withoutCredentials(url);
    if (answer === undefined) {
      open.set(clean, requests.push({ url: clean, kind: kindOf(clean), answer: "", ms: undefined }) - 1);
      continue;
    }
    const seconds = /\(([\d.]+)s\)$/.exec(answer)?.[1];
    const ended = {
      url: clean,
      kind: kindOf(clean),
      answer: withoutCredentials(answer.replace(/ \([\d.]+s\)$/, "")),
      ms: seconds === undefined ? undefined : Math.round(Number(seconds) * 1000),
    };
    const at = open.get(clean);
    if (at === undefined) requests.push(ended);
    else requests[at] = ended;
  }
  return requests;
}

function kindOf(url: string): RequestKind {
  if (/\/(?:lookup|tile|latest|supported)(?:\/|$)/.test(url) && !url.includes("/@v/")) return "sumdb";
  if (url.endsWith("/@latest")) return "latest";
  const [, end] = /\/@v\/(?:[^/]*\.(info|mod|zip)|list)$/.exec(url) ?? [];
  return end === undefined ? (url.endsWith("/@v/list") ? "list" : "other") : (end as RequestKind);
}
