// A real PostgreSQL with one empty database. It refuses to run as root, so it runs as `postgres` there.
import { spawnSync } from "node:child_process";
import { chown, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "../loopback.ts";
import { programPath } from "./programs.ts";
import { serverFolder, startServer } from "./server.ts";
import type { RunningServer } from "./server.ts";

export type PostgresServer = RunningServer & { /** `postgres://admin@127.0.0.1:PORT/postgres` */ readonly url: string };

/** Why there is none on this machine, for a skip; undefined when there is. */
export function missingPostgres(): string | undefined {
  return find("postgres") === undefined || find("initdb") === undefined
    ? "no PostgreSQL on this machine (apt: postgresql)"
    : undefined;
}

export async function startPostgres(t: Pick<TestContext, "after">): Promise<PostgresServer> {
  const program = find("postgres");
  const initdb = find("initdb");
  if (program === undefined || initdb === undefined) throw new Error(missingPostgres());
  const folder = await serverFolder(t, "postgres");
  const user = process.getuid?.() === 0 ? userNamed("postgres") : undefined;
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, "d");
  const made = spawnSync(initdb, ["-D", data, "-A", "trust", "-U", "admin", "-E", "UTF8", "--locale=C", "--no-sync"], {
    encoding: "utf8",
    timeout: 60_000,
    cwd: folder,
    ...user,
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stdout}${made.stderr}`);
  const port = await freePort();
  const running = await startServer(t, {
    name: "postgres",
    waitsFor: /pre-existing shared memory block/,
    port,
    folder,
    user,
    command: [
      program,
      ...["-D", data, "-p", String(port)],
      ...["-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`, "-c", "fsync=off"],
    ],
    isReady: (at) =>
      Promise.resolve(
        spawnSync(find("pg_isready") ?? "false", ["-h", "127.0.0.1", "-p", String(at)], { timeout: 5_000 }).status ===
          0,
      ),
  });
  return { ...running, url: `postgres://admin@127.0.0.1:${port}/postgres` };
}

/** Stops it and the processes that serve its connections. Returns how to let them go on. */
export async function freezePostgres(server: PostgresServer): Promise<() => void> {
  server.pause();
  const stopped: number[] = [];
  for (const name of await readdir("/proc")) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    if (Number(stat.split(" ")[3]) !== server.pid()) continue;
    process.kill(Number(name), "SIGSTOP");
    stopped.push(Number(name));
  }
  return () => {
    for (const pid of stopped) process.kill(pid, "SIGCONT");
    server.resume();
  };
}

/** Debian keeps them in a folder per version. */
function find(name: string): string | undefined {
  const { stdout } = spawnSync("pg_config", ["--bindir"], { encoding: "utf8" });
  return programPath(name, ...(typeof stdout === "string" && stdout !== "" ? [stdout.trim()] : []));
}

function userNamed(name: string): { readonly uid: number; readonly gid: number } | undefined {
  const number = (flag: string): number => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout);
  const [uid, gid] = [number("-u"), number("-g")];
  return Number.isInteger(uid) && uid > 0 ? { uid, gid } : undefined;
}
