// `granary gen`: the files around the text, and the programs that say whether they take it.

import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "#adapters/system/child.ts";
import { commandEnv } from "#adapters/system/command.ts";
import type { GenTools, NginxVerdict } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { nginxConfig, nginxHeader } from "#services/generate/nginx.ts";
import type { NginxOptions } from "#services/generate/nginx.ts";
import type { Machine } from "./config.ts";

/** A list of nodes is short. */
const maxNodesBytes = 64 << 10;
/** It looks names up, which may take a resolver's patience. */
const testMs = 30_000;
const maxSaid = 64 << 10;

export function genTools({ machine }: { readonly machine: Machine }): GenTools {
  return {
    readNodes,
    write,
    testNginx: async (options) => {
      const dir = await mkdtemp(join(tmpdir(), "granary-gen-"));
      try {
        return await testIn(dir, options, machine.env);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

async function readNodes(file: string): Promise<readonly string[]> {
  const text = await readSmall(file).catch((error: unknown) => {
    throw new GranaryError(
      "GRANARY_INPUT_UNREADABLE",
      { place: file, reason: (error as Error).message },
      { cause: error },
    );
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
}

async function readSmall(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxNodesBytes + 1));
    if (bytesRead > maxNodesBytes) throw new Error(`longer than ${maxNodesBytes} bytes`);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    const there = await readFile(file, "utf8").catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    });
    if (there !== undefined && !there.startsWith(nginxHeader)) throw new GranaryError("GRANARY_FILE_EXISTS", { file });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  } catch (error) {
    if (error instanceof GranaryError) throw error;
    throw new GranaryError(
      "GRANARY_CANNOT_RUN",
      { program: `write ${file}`, reason: (error as Error).message },
      { cause: error },
    );
  }
}

/**
 * nginx opens what it is told to listen at, and makes the folders of caches, while it only tests: both have stand-ins here,
 * so that a test needs no privilege and leaves nothing behind.
 */
async function testIn(dir: string, options: NginxOptions, env: Machine["env"]): Promise<NginxVerdict | undefined> {
  const { cache } = options;
  const text = nginxConfig({
    ...options,
    listen: `unix:${join(dir, "listen")}`,
    cache: cache && { ...cache, dir: join(dir, "cache") },
  });
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = temps.map((kind) => `${kind}_temp_path ${join(dir, kind)};`).join(" ");
  await mkdir(join(dir, "logs"));
  await writeFile(join(dir, "granary.conf"), text);
  await writeFile(
    join(dir, "nginx.conf"),
    `pid ${join(dir, "pid")};\nevents { }\nhttp { access_log off; ${temporary}\ninclude ${join(dir, "granary.conf")}; }\n`,
  );
  const run = (args: readonly string[]) =>
    runChild("nginx", args, {
      cwd: dir,
      env: commandEnv({ ...env, PATH: `${env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` }),
      timeoutMs: testMs,
      maxOutputBytes: maxSaid,
      signal: new AbortController().signal,
    });
  const asked = await run(["-v"]);
  if (asked.kind === "unstartable" && asked.error.code === "ENOENT") return undefined;
  const version = /nginx\/(\S+)/.exec(asked.stderr)?.[1] ?? "?";
  const end = await run(["-t", "-q", "-e", "stderr", "-p", dir, "-c", join(dir, "nginx.conf")]);
  if (end.kind === "ended") return { isGood: end.code === 0, version, said: end.stderr.trim().replaceAll(dir, "…") };
  const reason = end.kind === "stopped" ? end.because : end.error.message;
  throw new GranaryError("GRANARY_CANNOT_RUN", { program: "nginx -t", reason });
}
