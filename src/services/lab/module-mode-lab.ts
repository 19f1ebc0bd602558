// `lab go111module`: the same command under on, off, auto and without the variable, inside a module and outside; what go
// asked of the proxy and of the checksum database, and how it ended.

import { countedRequests, firstLine, makeLabModule, patienceMs, runLabGo } from "./go-room.ts";
import type { FakeRequest, LabGround } from "./ports.ts";

export const moduleModes = ["on", "off", "auto", ""] as const;
export const modulePlaces = ["module", "folder"] as const;

export type ModuleModeRun = {
  readonly mode: (typeof moduleModes)[number];
  /** Inside a folder with a go.mod, or without one. */
  readonly place: (typeof modulePlaces)[number];
  readonly code: number | undefined;
  readonly said: string;
  readonly requests: readonly (FakeRequest & { readonly times: number })[];
  /** Below /sumdb/. */
  readonly lookups: number;
  /** Whether go turned to the repository itself. */
  readonly direct: boolean;
};

export async function tryModuleModes(use: {
  readonly ground: LabGround;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}): Promise<readonly ModuleModeRun[]> {
  const runs: ModuleModeRun[] = [];
  for (const place of modulePlaces)
    for (const mode of moduleModes) {
      use.onProgress(runs.length, moduleModes.length * modulePlaces.length);
      runs.push(await tryOne(mode, place, use));
    }
  return runs;
}

async function tryOne(
  mode: ModuleModeRun["mode"],
  place: ModuleModeRun["place"],
  { ground, signal }: { readonly ground: LabGround; readonly signal: AbortSignal },
): Promise<ModuleModeRun> {
  const { path, version, content, verifierKey } = await makeLabModule();
  const requests: FakeRequest[] = [];
  const shared = {
    content: (target: string) => content.answer(target),
    onRequest: (request: FakeRequest): number => requests.push(request),
  };
  const proxy = await ground.openProxy({ name: "proxy", answer: "ok", ...shared });
  const outside = await ground.openProxy({ name: "direct", answer: 502, ...shared });
  try {
    const env = {
      GO111MODULE: mode,
      GOPROXY: proxy.url,
      GOSUMDB: verifierKey,
      HTTPS_PROXY: outside.url,
      HTTP_PROXY: outside.url,
    };
    const files = place === "module" ? { "go.mod": "module lab.example/main\n\ngo 1.18\n" } : {};
    const args = ["get", `${path}@${version}`];
    const end = await runLabGo(ground, { args, env, files, timeoutMs: patienceMs }, signal);
    const asked = countedRequests(requests);
    return {
      mode,
      place,
      code: end.code,
      said: firstLine(end),
      requests: asked.filter(({ target }) => !target.startsWith("/sumdb/")),
      lookups: asked.filter(({ target }) => target.startsWith("/sumdb/")).length,
      direct: asked.some((request) => request.proxy === "direct"),
    };
  } finally {
    await proxy.close();
    await outside.close();
  }
}
