// The real go command as a child: every GO* variable set by the test, nothing of the machine's own settings.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** One runnable Go: `version` as `go version` says it (`1.26.8`), and its root. */
export type GoTool = { readonly version: string; readonly goroot: string };

export type GoResult = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for messages: `go` writes its story on stderr and its results on stdout. */
  readonly output: string;
};

export type GoRun = {
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory; default the client's own empty module-less folder. */
  readonly cwd?: string;
  /** Ends the child after this long; a run that needs it has failed. */
  readonly timeoutMs?: number;
  /** Ends the child when it is aborted: for runs that are meant to hang. */
  readonly signal?: AbortSignal;
};

/** A developer's machine: HOME, GOPATH, module cache and checksum state of its own. */
export type GoClient = {
  readonly tool: GoTool;
  readonly home: string;
  readonly gopath: string;
  readonly modcache: string;
  run(args: readonly string[], options?: GoRun): Promise<GoResult>;
  /** Like run(), and throws with everything `go` said when it fails. */
  ok(args: readonly string[], options?: GoRun): Promise<GoResult>;
  remove(): Promise<void>;
};

/** Kept between runs: downloaded toolchains and build caches, both named by what is in them. */
export const keptFolder = join(tmpdir(), "granary-toolchains");

/** A cold `go install` compiles the runtime once per Go version; on a loaded machine that takes a minute. */
const defaultTimeoutMs = 240_000;

let found: GoTool | undefined | "unasked" = "unasked";

/** The Go on PATH, or undefined. Asked once. */
export async function machineGo(): Promise<GoTool | undefined> {
  if (found === "unasked") found = await findGo();
  return found;
}

/** The machine's Go; when there is none, skips the test with a line nobody overlooks. */
export async function needsGo(t: TestContext): Promise<GoTool | undefined> {
  const tool = await machineGo();
  if (tool === undefined) skipLoudly(t, "no `go` on PATH");
  return tool;
}

export function skipLoudly(t: TestContext, reason: string): void {
  process.stderr.write(`SKIPPED ${t.name}: ${reason}\n`);
  t.skip(reason);
}

/** What the machine itself would use for a GO* setting (`go env NAME`), settings of this process included. */
export async function machineSetting(name: string): Promise<string> {
  const asked = await capture("go", ["env", name], { cwd: tmpdir(), env: process.env, timeoutMs: 30_000 });
  return asked.stdout.trim();
}

/** A new client. `env` is what its user exported: GOPROXY, GOSUMDB, … */
export async function newGoClient(tool: GoTool, env: Readonly<Record<string, string>>): Promise<GoClient> {
  const home = await mkdtemp(join(tmpdir(), "granary-go-"));
  const gopath = join(home, "go");
  const work = join(home, "work");
  await mkdir(work);
  const base = { ...goEnv(tool, home), ...env };
  const run = (args: readonly string[], options: GoRun = {}): Promise<GoResult> =>
    capture(join(tool.goroot, "bin/go"), args, {
      cwd: options.cwd ?? work,
      env: { ...base, ...options.env },
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      ...(options.signal && { signal: options.signal }),
    });
  return {
    tool,
    home,
    gopath,
    modcache: join(gopath, "pkg/mod"),
    run,
    ok: async (args, options) => {
      const result = await run(args, options);
      if (result.code !== 0) throw new Error(`go ${args.join(" ")} ended with ${result.code}\n${result.output}`);
      return result;
    },
    // The go command may still be writing its telemetry when it has ended.
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}

/** Every variable that decides what the go command does, so that none comes from the machine. */
function goEnv(tool: GoTool, home: string): Record<string, string> {
  const gopath = join(home, "go");
  return {
    PATH: [join(tool.goroot, "bin"), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter),
    HOME: home,
    TMPDIR: tmpdir(),
    GOROOT: tool.goroot,
    GOPATH: gopath,
    GOMODCACHE: join(gopath, "pkg/mod"),
    GOCACHE: join(keptFolder, "build", tool.version),
    GOENV: "off",
    GO111MODULE: "on",
    // Read-only files would keep the temporary home from being removed.
    GOFLAGS: "-modcacherw -buildvcs=false",
    GOPROXY: "off",
    GOSUMDB: "off",
    GOPRIVATE: "",
    GONOPROXY: "",
    GONOSUMDB: "",
    GOINSECURE: "",
    GOVCS: "*:off",
    GOAUTH: "off",
    GOWORK: "off",
    GOTOOLCHAIN: "local",
    GODEBUG: "",
    GOEXPERIMENT: "",
    GOTELEMETRY: "off",
    CGO_ENABLED: "0",
    GIT_TERMINAL_PROMPT: "0",
    NO_PROXY: "*",
  };
}

async function findGo(): Promise<GoTool | undefined> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const path = folders.map((folder) => join(folder, "go")).find((file) => existsSync(file));
  if (path === undefined) return undefined;
  return describeGo(path);
}

/** Asks a go binary who it is. */
export async function describeGo(binary: string): Promise<GoTool | undefined> {
  const env = { PATH: dirname(binary), HOME: tmpdir(), GOENV: "off", GOTOOLCHAIN: "local", GOFLAGS: "" };
  const asked = await capture(binary, ["env", "GOVERSION", "GOROOT"], { cwd: tmpdir(), env, timeoutMs: 30_000 });
  const [version = "", goroot = ""] = asked.stdout.split("\n");
  if (asked.code !== 0 || !version.startsWith("go") || goroot === "") return undefined;
  return { version: version.slice("go".length), goroot };
}

type Capture = {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

/** Runs a program to its end and keeps what it said. A program that cannot start ends with -1. */
export function capture(program: string, args: readonly string[], options: Capture): Promise<GoResult> {
  return new Promise((resolve) => {
    const { cwd, env, timeoutMs, signal: abort } = options;
    const bounds = { timeout: timeoutMs, ...(abort && { signal: abort }) };
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], ...bounds });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => resolve({ code: -1, stdout, stderr: error.message, output: error.message }));
    child.once("close", (code, signal) => {
      if (signal !== null) stderr += `\nended by ${signal} after at most ${timeoutMs} ms\n`;
      resolve({ code: code ?? -1, stdout, stderr, output: stdout + stderr });
    });
  });
}
