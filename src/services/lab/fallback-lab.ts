// `lab fallback`: what go does after a proxy failed, seen at fake proxies. No rule of ours is part of it: the table is what
// the real go did just now.

import type { FakeAnswer, FakeProxy, FakeRequest, LabGround } from "./ports.ts";
import { countedRequests, firstLine, makeLabModule, patienceMs, runLabGo } from "./go-room.ts";
import type { LabModule } from "./go-room.ts";

/** `next`: it asked the second proxy and succeeded. `stop`: it gave up. `waits`: it was still waiting when we ended it. */
export type FallbackOutcome = "next" | "stop" | "waits";

export type FallbackCell = {
  readonly answer: string;
  readonly separator: "," | "|";
  readonly outcome: FallbackOutcome;
  readonly requests: readonly (FakeRequest & { readonly times: number })[];
  /** What go said when it stopped. */
  readonly said: string;
};

export type ChainRun = {
  /** As GOPROXY was set: fakes have addresses of their own. */
  readonly goproxy: string;
  readonly proxies: readonly { readonly name: string; readonly url: string; readonly answer: string }[];
  readonly requests: readonly (FakeRequest & { readonly times: number })[];
  /** Undefined: it waited until it was ended. */
  readonly code: number | undefined;
  readonly said: string;
  readonly waitedMs: number;
};

/** The outcomes of the table, as docs/fallback-table.md has them. */
export const tableAnswers: readonly FakeAnswer[] = [
  404,
  410,
  204,
  400,
  401,
  403,
  429,
  500,
  502,
  503,
  504,
  "refused",
  "reset",
  "eof",
  "html",
  "empty",
  "silent",
];

/** go has no timeout of its own: who waits for so long after a silent proxy was asked is taken to wait for ever. */
const silenceMs = 2_000;

export type FallbackUse = {
  readonly ground: LabGround;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
};

/** Every outcome of the first proxy, for both separators; the second proxy always has the module. */
export async function fallbackTable(use: FallbackUse): Promise<readonly FallbackCell[]> {
  const module = await makeLabModule();
  const cells: FallbackCell[] = [];
  const total = tableAnswers.length * 2;
  for (const answer of tableAnswers)
    for (const separator of [",", "|"] as const) {
      use.onProgress(cells.length, total);
      const chain = { entries: ["first", "second"], separators: [separator], answers: [answer, "ok"] } as const;
      const { requests, code, said } = await runChain(chain, module, use);
      const outcome = code === undefined ? "waits" : code === 0 ? "next" : "stop";
      cells.push({ answer: String(answer), separator, outcome, requests, said });
    }
  return cells;
}

export type LabChain = {
  /** Names of fakes; `direct` and `off` are go's own. */
  readonly entries: readonly string[];
  /** Between them. */
  readonly separators: readonly ("," | "|")[];
  /** Of the fakes, in their order. */
  readonly answers: readonly FakeAnswer[];
};

/** One list, as the user wrote it. */
export async function tryChain(chain: LabChain, use: FallbackUse): Promise<ChainRun> {
  return await runChain(chain, await makeLabModule(), use);
}

async function runChain(chain: LabChain, module: LabModule, { ground, signal }: FallbackUse): Promise<ChainRun> {
  const requests: FakeRequest[] = [];
  const enough = new AbortController();
  const onRequest = (request: FakeRequest): void => {
    requests.push(request);
    if (request.outcome !== "silent") return;
    void ground.sleep(silenceMs, enough.signal).then(
      () => enough.abort(),
      () => undefined,
    );
  };
  const content = (target: string): ReturnType<LabModule["content"]["answer"]> => module.content.answer(target);
  const opened: FakeProxy[] = [];
  const open = async (name: string, answer: FakeAnswer): Promise<FakeProxy> => {
    const proxy = await ground.openProxy({ name, answer, content, onRequest });
    opened.push(proxy);
    return proxy;
  };
  try {
    // What go would fetch directly meets this one: it is noted, and nothing leaves the machine.
    const outside = await open("direct", 502);
    const urls: string[] = [];
    const proxies: ChainRun["proxies"][number][] = [];
    for (const name of chain.entries) {
      const isOwn = name === "direct" || name === "off";
      const answer = chain.answers[proxies.length] ?? "ok";
      const proxy = isOwn ? undefined : await open(name, answer);
      urls.push(proxy?.url ?? name);
      if (proxy !== undefined) proxies.push({ name, url: proxy.url, answer: String(answer) });
    }
    const goproxy = urls.map((url, at) => `${url}${chain.separators[at] ?? ""}`).join("");
    const env = { GO111MODULE: "on", GOPROXY: goproxy, HTTPS_PROXY: outside.url, HTTP_PROXY: outside.url };
    const run = { args: ["mod", "download", `${module.path}@${module.version}`], env, timeoutMs: patienceMs };
    const end = await runLabGo(ground, run, AbortSignal.any([signal, enough.signal]));
    signal.throwIfAborted();
    return {
      goproxy,
      proxies,
      requests: countedRequests(requests),
      code: end.code,
      said: firstLine(end),
      waitedMs: end.ms,
    };
  } finally {
    enough.abort();
    for (const proxy of opened) await proxy.close();
  }
}
