// What every experiment with a real go has in common: a module that exists nowhere else, an environment that holds nothing
// of the machine's, and a home that is thrown away.

import { MadeUpModules } from "./made-up.ts";
import type { FakeRequest, LabGoEnd, LabGround } from "./ports.ts";
import { TestDatabase } from "./sumdb-server.ts";

export type LabModule = {
  readonly path: string;
  readonly version: string;
  readonly content: MadeUpModules;
  readonly verifierKey: string;
};

/** A module and the database that has it on record. */
export async function makeLabModule(): Promise<LabModule> {
  const database = new TestDatabase({ name: "sum.lab.example" });
  const content = new MadeUpModules(database);
  const { path, version } = await content.version();
  return { path, version, content, verifierKey: database.verifierKey };
}

/** What go does on a loaded machine within this is an answer; what takes longer waits for somebody. */
export const patienceMs = 30_000;

export type LabRun = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Files of the working folder. */
  readonly files?: Readonly<Record<string, string>>;
};

/** Runs go once, in a fresh home. */
export async function runLabGo(ground: LabGround, run: LabRun, signal: AbortSignal): Promise<LabGoEnd> {
  const { home, work } = await ground.makeHome(run.files ?? {});
  const env = { ...labEnv(home), ...run.env };
  return await ground.go(run.args, { cwd: work, env, timeoutMs: run.timeoutMs, signal });
}

/** Every variable that decides what go does, so that none comes from the machine. */
function labEnv(home: string): Record<string, string> {
  return {
    HOME: home,
    USERPROFILE: home,
    TMPDIR: home,
    TEMP: home,
    GOPATH: `${home}/go`,
    GOMODCACHE: `${home}/go/pkg/mod`,
    GOCACHE: `${home}/cache`,
    GOENV: "off",
    GOFLAGS: "-modcacherw",
    GO111MODULE: "",
    GOPROXY: "off",
    GOSUMDB: "off",
    GOPRIVATE: "",
    GONOPROXY: "",
    GONOSUMDB: "",
    GOINSECURE: "",
    GOAUTH: "off",
    GOWORK: "off",
    GOTOOLCHAIN: "local",
    GODEBUG: "",
    GOTELEMETRY: "off",
    GIT_TERMINAL_PROMPT: "0",
    NO_PROXY: "127.0.0.1",
  };
}

/** The message, without the paths of the throw-away home; one line. */
export function firstLine({ said }: LabGoEnd): string {
  const lines = said.split("\n").map((line) => line.trim());
  return lines.find((line) => line !== "" && !line.startsWith("go: downloading")) ?? "";
}

/** `GET /m/@v/v1.0.0.info → 404`, repeats folded. */
export function countedRequests(
  requests: readonly FakeRequest[],
): readonly (FakeRequest & { readonly times: number })[] {
  const seen = new Map<string, FakeRequest & { times: number }>();
  for (const request of requests) {
    const key = `${request.proxy} ${request.method} ${request.target} ${request.outcome}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { ...request, times: 1 });
    else known.times++;
  }
  return [...seen.values()];
}
