// A git repository, read through the machine's git as cmd/go's codehost/git.go reads its own: from a bare repository
// that borrows the objects and has none of anybody's settings. So no filter, hook or attribute of this machine changes a
// byte, and export-ignore and export-subst are off, as ensureGitAttributes turns them off.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { ProtocolError } from "#protocol/errors.ts";
import { openZip } from "#protocol/zip.ts";
import type { ZipEntry } from "#protocol/zip-local.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Repository, SourceFile, SourceTree } from "#services/packing/ports.ts";
import { openFileSource } from "./file-source.ts";
import type { FileSource } from "./file-source.ts";

/** One name or one file, from a disk that may be slow. */
const askMs = 30_000;
/** A tree of the largest size that is read. */
const archiveMs = 10 * 60_000;
/** An unpacked tree, with what a module leaves out; the zip itself may have 500 MiB. */
const maxArchiveBytes = 2 * 1024 ** 3;
/** What git says when it fails is a few lines. */
const maxSaidBytes = 64 * 1024;
const chunkBytes = 256 * 1024;

const prefix = "prefix/";
/** Of a Unix mode: the type, and that of a symbolic link. */
const typeBits = 0o170000;
const symlinkBits = 0o120000;

export type GitUse = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An empty folder of the caller's, removed by it. */
  readonly work: string;
  readonly signal: AbortSignal;
};

type Ran = { readonly code: number; readonly stdout: Buffer; readonly said: string };

/** Opens the repository that `folder` lies in. Throws GRANARY_GIT_FAILED. */
export async function openRepository(folder: string, use: GitUse): Promise<Repository> {
  const { work, signal } = use;
  const env = ownEnv(use.env, work);
  // Whose repositories may be opened at all (safe.directory) is a setting of the person who runs this.
  const theirs = { ...env, ...kept(use.env, ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"]) };
  const found = await run(["rev-parse", "--git-path", "objects"], { cwd: folder, env: theirs, signal });
  const objects = resolve(
    folder,
    mustWork("rev-parse", found)
      .stdout.toString("utf8")
      .replace(/\r?\n$/, ""),
  );
  return new GitRepository({ folder, work, objects, env, theirs });
}

type Places = {
  readonly folder: string;
  readonly work: string;
  readonly objects: string;
  readonly env: NodeJS.ProcessEnv;
  readonly theirs: NodeJS.ProcessEnv;
};

class GitRepository implements Repository {
  readonly #at: Places;
  #borrower: Promise<NodeJS.ProcessEnv> | undefined;

  constructor(at: Places) {
    this.#at = at;
  }

  async commitOf(tag: string, signal: AbortSignal): Promise<string | undefined> {
    const at = { cwd: this.#at.folder, env: this.#at.theirs, signal };
    // A full name, taken literally. With --quiet a missing one is code 1, and without it the hash is said.
    const name = `refs/tags/${tag}`;
    const known = await run(["show-ref", "--verify", "--quiet", "--", name], at);
    if (known.code === 1) return undefined;
    mustWork("show-ref", known);
    const ref = await run(["show-ref", "--verify", "--hash", "--", name], at);
    const hash = mustWork("show-ref", ref).stdout.toString("latin1").trim();
    const commit = await run(["rev-parse", "--verify", "--quiet", `${hash}^{commit}`], at);
    if (commit.code === 1) return undefined;
    const text = mustWork("rev-parse", commit).stdout.toString("latin1").trim();
    if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) throw failed("rev-parse", `not a commit: ${text.slice(0, 100)}`);
    return text;
  }

  async readFile(
    { commit, path, maxBytes }: { readonly commit: string; readonly path: string; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const at = { cwd: this.#at.work, env: await this.#borrow(commit, signal), signal };
    const command = ["cat-file", "--batch"];
    const { stdout } = mustWork(
      "cat-file",
      await run(command, { ...at, maxBytes: maxBytes + 1_000, input: `${commit}:${path}\n` }),
    );
    const end = stdout.indexOf("\n");
    // `HASH blob SIZE`, else a directory, a commit of a submodule, or `… missing`.
    const size = /^[0-9a-f]+ blob ([0-9]+)$/.exec(stdout.toString("utf8", 0, end))?.[1];
    return size === undefined ? undefined : stdout.subarray(end + 1, end + 1 + Number(size));
  }

  async archive(commit: string, dir: string, signal: AbortSignal): Promise<SourceTree> {
    const env = await this.#borrow(commit, signal);
    const file = join(await mkdtemp(join(this.#at.work, "tree-")), "tree.zip");
    // Without compression, so that each file can be read anywhere.
    const command = ["archive", "--format=zip", "-0", `--prefix=${prefix}`, commit, ...(dir === "" ? [] : [dir])];
    await runToFile([...asGo, "--literal-pathspecs", ...command], { cwd: this.#at.work, env, signal, file });
    const source = openFileSource(file);
    const close = async (): Promise<void> => {
      source.close();
      await rm(file, { force: true });
    };
    try {
      return { files: filesOf(source, dir), omitted: [], close };
    } catch (error) {
      await close();
      if (error instanceof ProtocolError) throw failed("archive", error.message);
      throw error;
    }
  }

  /** Makes the repository that borrows, once; hashes of 64 digits need one of their own format. */
  #borrow(commit: string, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
    this.#borrower ??= makeBorrower(commit, this.#at, signal);
    return this.#borrower;
  }
}

/** As cmd/go asks for archives: the same on Windows as elsewhere. */
const asGo = ["-c", "core.autocrlf=input", "-c", "core.eol=lf"] as const;

async function makeBorrower(commit: string, at: Places, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  const { work, objects, env } = at;
  const dir = join(work, "borrower.git");
  const format = commit.length === 64 ? ["--object-format=sha256"] : [];
  const command = ["init", "--quiet", "--bare", "--template=", ...format, dir];
  mustWork("init", await run(command, { cwd: work, env, signal }));
  await mkdir(join(dir, "info"), { recursive: true });
  await writeFile(join(dir, "info/attributes"), "\n* -export-subst -export-ignore\n");
  return { ...env, GIT_DIR: dir, GIT_OBJECT_DIRECTORY: objects };
}

function filesOf(source: FileSource, dir: string): SourceFile[] {
  const root = dir === "" ? prefix : `${prefix}${dir}/`;
  return openZip(source).entries.flatMap((entry): SourceFile[] => {
    if (!entry.name.startsWith(root) || entry.name.endsWith("/")) return [];
    if (entry.method !== 0) throw failed("archive", `${entry.name} is compressed`);
    const isLink = (entry.mode & typeBits) === symlinkBits;
    return [
      {
        path: entry.name.slice(root.length),
        size: entry.size,
        kind: isLink ? "symlink" : "regular",
        chunks: () => chunksOf(source, entry),
      },
    ];
  });
}

function* chunksOf(source: FileSource, { dataOffset, size }: ZipEntry): Iterable<Uint8Array> {
  for (let at = 0; at < size; at += chunkBytes)
    yield Uint8Array.from(source.read(dataOffset + at, Math.min(chunkBytes, size - at)));
}

/** Nothing of the person's settings and repositories: where programs are, and English. */
function ownEnv(env: GitUse["env"], work: string): NodeJS.ProcessEnv {
  return {
    ...kept(env, ["PATH", "SYSTEMROOT"]),
    LC_ALL: "C",
    HOME: work,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
  };
}

function kept(env: GitUse["env"], names: readonly string[]): Record<string, string | undefined> {
  // A name that is not set must not stay set by us: undefined unsets it.
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

type RunUse = { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal };

async function run(
  args: readonly string[],
  use: RunUse & { readonly input?: string; readonly maxBytes?: number },
): Promise<Ran> {
  const { cwd, env, signal, input = "", maxBytes = maxSaidBytes } = use;
  return await new Promise<Ran>((done, fail) => {
    const options = { cwd, env, signal, timeout: askMs, killSignal: "SIGKILL", maxBuffer: maxBytes } as const;
    const child = execFile("git", args, { ...options, encoding: "buffer" }, (error, stdout, stderr) => {
      const said = stderr.toString("utf8");
      if (error === null) done({ code: 0, stdout, said });
      else if (typeof error.code === "number") done({ code: error.code, stdout, said });
      else fail(signal.aborted ? (signal.reason as Error) : failed(verbOf(args), whyNot(error as ChildFailure, askMs)));
    });
    child.stdin?.on("error", () => undefined); // it ended before it read this
    child.stdin?.end(input);
  });
}

async function runToFile(args: readonly string[], use: RunUse & { readonly file: string }): Promise<void> {
  const limit = AbortSignal.any([use.signal, AbortSignal.timeout(archiveMs)]);
  const child = spawn("git", args, {
    cwd: use.cwd,
    env: use.env,
    signal: limit,
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (said.length < maxSaidBytes) said += chunk.toString("utf8");
  });
  let size = 0;
  const bounded = async function* (chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxArchiveBytes) throw failed("archive", `the tree is larger than ${maxArchiveBytes} bytes`);
      yield chunk;
    }
  };
  try {
    const [[code]] = await Promise.all([ended, pipeline(child.stdout, bounded, createWriteStream(use.file))]);
    mustWork("archive", { code: code ?? -1, stdout: Buffer.alloc(0), said });
  } catch (error) {
    child.kill("SIGKILL");
    use.signal.throwIfAborted();
    if (error instanceof GranaryError) throw error;
    throw failed("archive", whyNot(error as ChildFailure, archiveMs));
  }
}

type ChildFailure = Error & { readonly code?: unknown; readonly syscall?: string; readonly killed?: boolean };

function whyNot(error: ChildFailure, limitMs: number): string {
  if (error.code === "ENOENT" && error.syscall?.startsWith("spawn") === true) return "there is no `git` on PATH";
  if (error.killed === true || error.name === "AbortError") return `no answer in ${limitMs / 1_000} s`;
  return error.message.split("\n", 1)[0] ?? "";
}

function mustWork(verb: string, ran: Ran): Ran {
  if (ran.code === 0) return ran;
  const line = ran.said.split("\n").find((text) => text !== "") ?? `exit code ${ran.code}`;
  throw failed(verb, line.slice(0, 300));
}

/** `archive` of `-c core.eol=lf … archive …`; the first word of all others. */
function verbOf(args: readonly string[]): string {
  return args.find((word) => /^[a-z]+-?[a-z]+$/.test(word)) ?? "";
}

function failed(verb: string, reason: string): GranaryError {
  return new GranaryError("GRANARY_GIT_FAILED", { command: `git ${verb}`, reason });
}
