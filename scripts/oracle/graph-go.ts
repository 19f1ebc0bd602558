// What the real `go` does with a module graph: which go.mod files it asks a recording proxy for, what it lists, what
// it downloads.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { escapePath, parsePath } from "../../src/protocol/path.ts";
import { escapeVersion } from "../../src/protocol/version.ts";
import { writeModuleZip } from "../../src/protocol/zip-write.ts";
import type { GraphCase } from "./graph-random.ts";

export type GraphOutcome = {
  /** `path@version` of every go.mod that `go mod graph` asked for, sorted. */
  readonly graph: readonly string[];
  /** `go list -m all` as `path@version`, `path@version => path@version` or `path@version => dir`, without main modules. */
  readonly all: readonly string[];
  /** `path@version` that `go mod download` fetched a zip of, sorted. */
  readonly zips: readonly string[];
};

/** What go answered, or its words when it refused. */
export type GraphAnswer = GraphOutcome | { readonly refused: string };

export type GraphRecorder = AsyncDisposable & { ask(graph: GraphCase): Promise<GraphAnswer> };

const commandMs = 60_000;

/** A proxy on loopback that serves one case at a time and writes down what is asked. */
export async function startRecorder(): Promise<GraphRecorder> {
  const root = mkdtempSync(join(tmpdir(), "granary-graphs-"));
  let modules = new Map<string, { readonly id: string; readonly body: () => Uint8Array }>();
  let asked: { readonly kind: string; readonly id: string }[] = [];
  const server = createServer((request, response) => {
    const found = modules.get(decodeURIComponent(request.url ?? ""));
    if (found === undefined) {
      response.writeHead(404).end("not found\n");
      return;
    }
    asked.push({ kind: /\w+$/.exec(request.url ?? "")?.[0] ?? "", id: found.id });
    response.writeHead(200).end(found.body());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let count = 0;

  const run = async (
    args: readonly string[],
    folder: string,
  ): Promise<{ code: number; out: string; error: string }> => {
    const home = join(root, `home${count++}`);
    const result = await capture("go", args, { cwd: folder, env: goEnv(home, proxy, folder) });
    // The go command may still be writing its telemetry when it has ended.
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    return result;
  };

  return {
    ask: async (graph) => {
      modules = filesOf(graph);
      const answers: string[][] = [];
      let all = "";
      for (const args of [["mod", "graph"], listArgs(graph), ["mod", "download", "-json"]]) {
        const folder = join(root, `case${count}`);
        for (const [name, text] of Object.entries(graph.files)) {
          mkdirSync(dirname(join(folder, name)), { recursive: true });
          writeFileSync(join(folder, name), text);
        }
        asked = [];
        const { code, out, error } = await run(args, folder);
        rmSync(folder, { recursive: true, force: true });
        if (code !== 0) return { refused: firstLine(error === "" ? out : error) };
        if (args[0] === "list") all = out;
        const kind = args[1] === "download" ? "zip" : "mod";
        answers.push([...new Set(asked.filter((each) => each.kind === kind).map(({ id }) => id))].sort());
      }
      return { graph: answers[0] ?? [], all: all.split("\n").filter((line) => line !== ""), zips: answers[2] ?? [] };
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const listFormat =
  "{{if not .Main}}{{.Path}}@{{.Version}}{{with .Replace}} => {{.Path}}{{with .Version}}@{{.}}{{end}}{{end}}{{end}}";

/**
 * -mod=mod: an untidy go.mod is put right instead of refused, as `go mod download` does by itself. In a workspace it is
 * not allowed, and not needed.
 */
function listArgs({ files }: GraphCase): string[] {
  return ["list", ...("go.work" in files ? [] : ["-mod=mod"]), "-m", "-f", listFormat, "all"];
}

function filesOf(graph: GraphCase): Map<string, { readonly id: string; readonly body: () => Uint8Array }> {
  const files = new Map<string, { readonly id: string; readonly body: () => Uint8Array }>();
  for (const [id, goMod] of Object.entries(graph.modules)) {
    const [path = "", version = ""] = id.split("@");
    const base = `/${escapePath(parsePath(path))}/@v/${escapeVersion(version)}`;
    const info = JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" });
    files.set(`${base}.info`, { id, body: () => Buffer.from(info) });
    files.set(`${base}.mod`, { id, body: () => Buffer.from(goMod) });
    const zip = (): Uint8Array => writeModuleZip({ path, version }, [{ name: "go.mod", content: Buffer.from(goMod) }]);
    files.set(`${base}.zip`, { id, body: zip });
  }
  return files;
}

function goEnv(home: string, proxy: string, folder: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    TMPDIR: tmpdir(),
    GOPATH: join(home, "go"),
    GOCACHE: join(home, "cache"),
    GOENV: "off",
    GOFLAGS: "-modcacherw",
    GOPROXY: proxy,
    GOSUMDB: "off",
    GOTOOLCHAIN: "local",
    GOTELEMETRY: "off",
    GOVCS: "*:off",
    PWD: folder,
  };
}

function firstLine(text: string): string {
  return (text.split("\n").find((line) => !/^go: downloading |^$/.test(line)) ?? "").slice(0, 200);
}

function capture(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"], timeout: commandMs });
    let out = "";
    let error = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
    child.once("error", (failure) => resolve({ code: -1, out, error: failure.message }));
    child.once("close", (code) => resolve({ code: code ?? -1, out, error }));
  });
}
