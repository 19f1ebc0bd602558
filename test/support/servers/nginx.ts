// A real nginx over a configuration that a test wrote.
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { programPath } from "./programs.ts";
import { startServer } from "./server.ts";
import type { RunningServer } from "./server.ts";

/** Why there is none on this machine, for a skip; undefined when there is. */
export function missingNginx(): string | undefined {
  return programPath("nginx") === undefined ? "no nginx on this machine (apt: nginx-light)" : undefined;
}

/** What `nginx -t` says of a configuration file, and whether it takes it. */
export function testNginx(folder: string, file: string): { readonly isGood: boolean; readonly said: string } {
  const run = spawnSync(programPath("nginx") ?? "nginx", ["-t", "-e", "stderr", "-p", folder, "-c", file], {
    encoding: "utf8",
    timeout: 30_000,
  });
  return { isGood: run.status === 0, said: run.stderr };
}

/**
 * Starts nginx with `http` as the inside of its http block, in one process that stays in front.
 * @param http may name files below `folder`, where temporary files go as well
 */
export async function startNginx(
  t: Pick<TestContext, "after">,
  { folder, port, http }: { readonly folder: string; readonly port: number; readonly http: string },
): Promise<RunningServer> {
  const program = programPath("nginx");
  if (program === undefined) throw new Error(missingNginx());
  const file = join(folder, "nginx.conf");
  await mkdir(join(folder, "temp"), { recursive: true });
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `  ${kind}_temp_path ${join(folder, "temp", kind)};`,
  );
  await writeFile(
    file,
    [
      "daemon off;",
      "worker_processes 1;",
      // As root it would give itself another user, who cannot read the test's folder.
      ...(process.getuid?.() === 0 ? ["user root;"] : []),
      `pid ${join(folder, "nginx.pid")};`,
      "events { worker_connections 4096; }",
      "http {",
      "  access_log off;",
      ...temps,
      http,
      "}",
      "",
    ].join("\n"),
  );
  return await startServer(t, {
    name: "nginx",
    port,
    folder,
    command: [program, "-e", "stderr", "-p", folder, "-c", file],
  });
}
