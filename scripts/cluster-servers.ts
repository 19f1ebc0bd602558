// Brings the real servers that `npm run test:cluster` starts to this machine, as far as it lets us: Redis, PostgreSQL and
// nginx from Debian's packages (as root), VersityGW with `go install`. What is there already stays as it is; what
// cannot be had is said, and is no failure: the tests that need it say so too. `--all` adds MinIO, whose build takes minutes.

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { missingNginx } from "../test/support/servers/nginx.ts";
import { missingPostgres } from "../test/support/servers/postgres.ts";
import { programPath, serversFolder } from "../test/support/servers/programs.ts";
import { missingRedis } from "../test/support/servers/redis.ts";

/** A compiled server on two shared cores takes two minutes. */
const buildMs = 10 * 60_000;
const installMs = 5 * 60_000;

type Server = { readonly name: string; readonly isHere: () => boolean; readonly bring: () => void };

const servers: readonly Server[] = [
  { name: "redis", isHere: () => missingRedis() === undefined, bring: () => debian("redis-server") },
  { name: "nginx", isHere: () => missingNginx() === undefined, bring: () => debian("nginx-light") },
  { name: "postgresql", isHere: () => missingPostgres() === undefined, bring: () => debian("postgresql") },
  compiled("versitygw", "github.com/versity/versitygw/cmd/versitygw@v1.8.0"),
  ...(process.argv.includes("--all")
    ? [compiled("minio", "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c")]
    : []),
];

for (const { name, isHere, bring } of servers) {
  const began = performance.now();
  if (!isHere()) bring();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  process.stdout.write(`${name}: ${isHere() ? "here" : "MISSING, its tests will be skipped"} (${seconds} s)\n`);
}

function compiled(name: string, what: string): Server {
  return {
    name,
    isHere: () => programPath(name) !== undefined,
    bring: () => {
      mkdirSync(serversFolder, { recursive: true });
      run("go", ["install", what], { ms: buildMs, env: { GOBIN: serversFolder, GOFLAGS: "-p=2" } });
    },
  };
}

let isListRead = false;

function debian(what: string): void {
  if (process.getuid?.() !== 0) return void process.stdout.write(`${what}: only root can install packages\n`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", what], { ms: installMs, env }) || isListRead)
    return;
  isListRead = true;
  run("apt-get", ["update", "-qq"], { ms: installMs, env });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", what], { ms: installMs, env });
}

function run(
  program: string,
  args: readonly string[],
  { ms, env }: { readonly ms: number; readonly env: Readonly<Record<string, string>> },
): boolean {
  const done = spawnSync(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: ms,
    env: { ...process.env, ...env },
  });
  if (done.status !== 0)
    process.stdout.write(
      `${program} ${args.join(" ")}: ${tailOf(done.error === undefined ? done.stderr : String(done.error))}\n`,
    );
  return done.status === 0;
}

function tailOf(text: string): string {
  return text.trim().split("\n").slice(-3).join(" | ");
}
