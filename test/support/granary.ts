// Starts the product as a user does (`granary serve`), on a free port with a store of its own, and stops it by id.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export type GranaryOptions = {
  /** `--upstream`, GOPROXY syntax. */
  readonly upstream: string;
  /** `--sumdb`, GOSUMDB syntax, or several; default `off`. */
  readonly sumdb?: string | readonly string[];
  /** `--private`. */
  readonly private?: string;
  /** More flags, as written on the command line. */
  readonly flags?: readonly string[];
  /** More environment. The machine's own GO* and GRANARY_* are never passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** A store to use, left in place by stop(); otherwise a temporary one that stop() removes. */
  readonly store?: string;
  /** Let it dial out (live tests only). */
  readonly live?: boolean;
  /** What to run instead of bin/granary.ts (a bundle, a stand-in). */
  readonly program?: string;
};

export type RunningGranary = {
  /** `http://HOST:PORT`, without a trailing slash. */
  readonly url: string;
  readonly store: string;
  readonly pid: number;
  stderr(): string;
  /** Everything on stdout so far. */
  stdout(): string;
  signal(name: NodeJS.Signals): void;
  /** The exit code, once it has ended; a signal's end counts as -1. */
  readonly ended: Promise<number>;
  /** SIGTERM, wait, remove the temporary store. Idempotent. Returns the exit code. */
  stop(): Promise<number>;
};

const root = resolve(import.meta.dirname, "../..");
/** What ships, when a run of the suites has made it: it starts in half the time of the sources. */
const usualProgram = process.env["GRANARY_TEST_PROGRAM"] ?? join(root, "bin/granary.ts");
/** Longest wait for the ready line: a cold type-stripping start on a loaded machine takes seconds. */
const readyMs = 60_000;
/** A drain is bounded by the server itself; past this it hangs, and the test must not. */
const stopMs = 20_000;
/** Longest run of a command: one that hangs must not hold its test for ever. */
const runMs = process.env["LONG"] === undefined ? 240_000 : 1_800_000;

/** Starts Granary and waits for its ready line. Throws with its stderr when it ends before that. */
export async function startGranary(options: GranaryOptions): Promise<RunningGranary> {
  const own = options.store === undefined ? await mkdtemp(join(tmpdir(), "granary-test-store-")) : undefined;
  const store = options.store ?? join(own ?? "", "store");
  try {
    const running = await startCommand(commandLine(options, store), options);
    const stop = once(async () => {
      const code = await running.stop();
      if (own !== undefined) await rm(own, { recursive: true, force: true });
      return code;
    });
    return { ...running, store, stop };
  } catch (error) {
    if (own !== undefined) await rm(own, { recursive: true, force: true });
    throw error;
  }
}

/** Starts another command that listens (`sumweb …`, `agent …`), and waits for its ready line. */
export async function startCommand(
  words: readonly string[],
  options: Pick<GranaryOptions, "env" | "live" | "program"> = {},
): Promise<Omit<RunningGranary, "store">> {
  const home = await mkdtemp(join(tmpdir(), "granary-test-"));
  const program = options.program ?? usualProgram;
  const child = spawn(process.execPath, [...nodeFlags(options.live ?? false), program, ...words], {
    cwd: home,
    env: cleanEnv(home, options.env ?? {}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collect(child);
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
  endWithUs(child);
  const stop = once(async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
    child.kill("SIGTERM");
    const code = await ended;
    clearTimeout(timer);
    await rm(home, { recursive: true, force: true });
    return code;
  });
  try {
    const url = await readyLine(output, ended);
    return {
      url,
      pid: child.pid ?? -1,
      stderr: () => output.stderr,
      stdout: () => output.stdout,
      signal: (name) => void child.kill(name),
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs another command of the product to its end (`granary store verify …`). */
export async function runGranary(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { program = usualProgram, live = false }: Pick<GranaryOptions, "program" | "live"> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const home = await mkdtemp(join(tmpdir(), "granary-test-"));
  const child = spawn(process.execPath, [...nodeFlags(live), program, ...args], {
    cwd: home,
    env: cleanEnv(home, env),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: runMs,
  });
  const output = collect(child);
  endWithUs(child);
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  await rm(home, { recursive: true, force: true });
  return { code, stdout: output.stdout, stderr: output.stderr };
}

const alive = new Set<ChildProcess>();
process.on("exit", () => alive.forEach((each) => each.kill("SIGKILL")));

/** A test file that is ended early leaves no process behind. */
function endWithUs(child: ChildProcess): void {
  alive.add(child);
  child.once("exit", () => alive.delete(child));
}

function commandLine(options: GranaryOptions, store: string): string[] {
  const sumdbs = options.sumdb === undefined ? ["off"] : [options.sumdb].flat();
  return [
    "serve",
    "--listen=127.0.0.1:0",
    `--store=${store}`,
    `--upstream=${options.upstream}`,
    ...sumdbs.map((value) => `--sumdb=${value}`),
    ...(options.private === undefined ? [] : [`--private=${options.private}`]),
    ...(options.flags ?? []),
  ];
}

function nodeFlags(live: boolean): string[] {
  const guard = live ? [] : ["--import", join(import.meta.dirname, "no-net.ts")];
  return ["--disable-warning=ExperimentalWarning", ...guard];
}

/** Nothing of this machine's own Go or Granary settings, and a home that is ours. */
function cleanEnv(home: string, more: Readonly<Record<string, string>>): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    LANG: "en_US.UTF-8",
    GOENV: "off",
    ...handedOn("NODE_EXTRA_CA_CERTS"),
    ...handedOn("NODE_COMPILE_CACHE"),
    ...more,
  };
}

function handedOn(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}

type Output = { stdout: string; stderr: string; readonly onLine: (listener: () => void) => void };

function collect(child: ChildProcess): Output {
  const listeners: (() => void)[] = [];
  const output: Output = { stdout: "", stderr: "", onLine: (listener) => listeners.push(listener) };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  return output;
}

async function readyLine(output: Output, ended: Promise<number>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const said = new Promise<string>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`granary was not ready in ${readyMs} ms\n${output.stderr}`)), readyMs);
    output.onLine(() => {
      const url = /^granary (?:\w+ )?listening on (\S+)(?: for \S+)?$/m.exec(output.stdout)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const died = ended.then((code) => {
    throw new Error(`granary ended with ${code} before it was ready\n${output.stderr}`);
  });
  try {
    return await Promise.race([said, died]);
  } finally {
    clearTimeout(timer);
    died.catch(() => undefined);
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= work());
}
