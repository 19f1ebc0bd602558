// `go … -x`: `# get URL` when a request begins, `# get URL: 200 OK (0.1s)` or `# get URL: why` when it ends
// (cmd/go internal/web). Which ones failed, which were slow, which never ended.

import { withoutCredentials } from "#services/findings/redact.ts";
import type { LogLine } from "./error-lines.ts";

export type TracedHost = {
  readonly host: string;
  readonly requests: number;
  /** By what was said: `200 OK`, `404 Not Found`, `error`. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly slowestUrl: string;
  /** Begun and never ended, the first ones of them. */
  readonly unanswered: readonly string[];
  readonly unansweredCount: number;
};

/** A request that takes longer is worth a word: go makes some in turn for each module. */
export const slowMs = 3_000;
/** A build asks for some thousand files. */
const maxOpen = 50_000;
const maxHosts = 50;
const maxShown = 5;

type Host = {
  requests: number;
  readonly outcomes: Map<string, number>;
  slowestMs: number;
  slowestUrl: string;
  readonly open: Map<string, number>;
};

export class TraceReader {
  readonly #hosts = new Map<string, Host>();
  #open = 0;

  /** Whether the line is part of a trace. */
  read({ text }: LogLine): boolean {
    const [, url = "", said] = /^# get (https?:\/\/[^\s]{1,1500}?)(?:: (.{1,400}))?$/.exec(text) ?? [];
    if (url === "") return false;
    const host = this.#hostOf(url);
    if (said === undefined) this.#begin(host, url);
    else this.#end(host, url, said);
    return true;
  }

  report(): readonly TracedHost[] {
    return [...this.#hosts].map(([host, { requests, outcomes, slowestMs, slowestUrl, open }]) => ({
      host,
      requests,
      outcomes: Object.fromEntries(outcomes),
      slowestMs,
      slowestUrl,
      unanswered: [...open.keys()].slice(0, maxShown),
      unansweredCount: [...open.values()].reduce((sum, each) => sum + each, 0),
    }));
  }

  #hostOf(url: string): Host {
    const name = withoutCredentials(/^https?:\/\/([^/]*)/.exec(url)?.[1] ?? "").replace(/^[^@]*@/, "");
    const fresh = { requests: 0, outcomes: new Map<string, number>(), slowestMs: 0, slowestUrl: "", open: new Map() };
    const host = this.#hosts.get(name) ?? fresh;
    if (this.#hosts.size < maxHosts) this.#hosts.set(name, host);
    return host;
  }

  #begin(host: Host, url: string): void {
    host.requests++;
    if (this.#open >= maxOpen) return;
    this.#open++;
    host.open.set(url, (host.open.get(url) ?? 0) + 1);
  }

  #end(host: Host, url: string, said: string): void {
    const [, status, seconds] = /^(\d{3} [^(]{1,40}?)(?: \((\d{1,6}(?:\.\d{1,6})?)s\))?$/.exec(said) ?? [];
    const outcome = status ?? "error";
    host.outcomes.set(outcome, (host.outcomes.get(outcome) ?? 0) + 1);
    const ms = Math.round(Number(seconds ?? 0) * 1000);
    if (ms > host.slowestMs) Object.assign(host, { slowestMs: ms, slowestUrl: withoutCredentials(url) });
    const open = host.open.get(url);
    if (open === undefined) return;
    this.#open--;
    if (open === 1) host.open.delete(url);
    else host.open.set(url, open - 1);
  }
}
