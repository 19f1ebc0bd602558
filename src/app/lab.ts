// `granary lab`: experiments with the machine's go, or another one that go itself can get, in front of fakes on the
// loopback. Everything lies in one temporary folder, which is removed at the end.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openFakeProxy } from "#adapters/system/fake-proxy.ts";
import { makeRunGo } from "#adapters/system/go-run.ts";
import type { LabRequest, LabView } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { fallbackTable, tryChain } from "#services/lab/fallback-lab.ts";
import { tryModuleModes } from "#services/lab/module-mode-lab.ts";
import type { LabGround } from "#services/lab/ports.ts";
import type { Machine } from "./go-env.ts";

/** A toolchain has 70 MB. */
const toolchainMs = 10 * 60_000;
const askMs = 30_000;

type LabUse = {
  readonly machine: Machine;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
};

/** Throws GRANARY_CANNOT_RUN without that go. */
export async function runLab(request: LabRequest, use: LabUse): Promise<LabView> {
  const { signal, onProgress } = use;
  const go = await findGo(request.go, use);
  const dir = await mkdtemp(join(tmpdir(), "granary-lab-"));
  try {
    const ground = groundIn(dir, go.program, use);
    const experiment = { ground, signal, onProgress };
    switch (request.kind) {
      case "fallback":
        return { kind: "fallback", go: go.version, cells: await fallbackTable(experiment) };
      case "chain":
        return { kind: "chain", go: go.version, run: await tryChain(request.chain, experiment) };
      case "go111module":
        return { kind: "go111module", go: go.version, runs: await tryModuleModes(experiment) };
    }
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Go = { readonly program: string; readonly version: string };

/** Another version comes as go gets it, through this machine's own settings, into its module cache. */
async function findGo(wanted: string | undefined, { machine, signal }: LabUse): Promise<Go> {
  const env = { ...machine.env, GOTOOLCHAIN: wanted === undefined ? "local" : `go${wanted}` };
  const timeoutMs = wanted === undefined ? askMs : toolchainMs;
  const end = await makeRunGo()(["env", "GOROOT", "GOVERSION"], { env, cwd: tmpdir(), timeoutMs, signal });
  signal.throwIfAborted();
  const program = wanted === undefined ? "go" : `go ${wanted}`;
  if (end.kind === "missing")
    throw new GranaryError("GRANARY_CANNOT_RUN", { program, reason: "there is no go on PATH" });
  const [root = "", version = ""] = end.stdout.split(/\r?\n/);
  if (end.kind !== "ended" || end.code !== 0 || root === "") {
    const reason = end.stderr.trim().split("\n").at(-1) ?? "";
    throw new GranaryError("GRANARY_CANNOT_RUN", { program, reason: reason === "" ? "it gave no answer" : reason });
  }
  const name = machine.platform === "win32" ? "go.exe" : "go";
  return { program: join(root, "bin", name), version: version.replace(/^go/, "") };
}

function groundIn(dir: string, program: string, { machine }: LabUse): LabGround {
  const runGo = makeRunGo(program);
  const path = machine.env["PATH"] ?? machine.env["Path"] ?? "";
  const system = machine.env["SYSTEMROOT"];
  let homes = 0;
  return {
    openProxy: openFakeProxy,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    makeHome: async (files) => {
      const home = join(dir, String(++homes));
      const work = join(home, "work");
      await mkdir(work, { recursive: true });
      for (const [name, text] of Object.entries(files)) await writeFile(join(work, name), text);
      return { home, work };
    },
    go: async (args, { env, ...options }) => {
      const whole = { PATH: path, ...(system !== undefined && { SYSTEMROOT: system }), ...env };
      const end = await runGo(args, { ...options, env: whole });
      if (end.kind === "missing") throw new GranaryError("GRANARY_CANNOT_RUN", { program, reason: end.stderr });
      const said = `${end.stderr}${end.stdout}`.replaceAll(dir, "…");
      return { code: end.kind === "ended" ? end.code : undefined, said, ms: end.ms };
    },
  };
}
