// A real OpenSSH server on a free port of the loopback, run as whoever runs the tests: a host key and a configuration of
// its own, nothing of the machine's. It serves git repositories to those whose key it is told of.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd } from "./at-end.ts";
import { freePort } from "./loopback.ts";

export type Sshd = {
  readonly port: number;
  /** Who must log in: it can be nobody else. */
  readonly user: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  connections(): number;
  /** What clients asked for: `KEY git-upload-pack '/team/hello'`. */
  readonly said: () => string;
};

/** Makes a key pair without a passphrase; the path of the private one. Undefined where there is no ssh-keygen. */
export async function makeSshKey(folder: string, name: string): Promise<string | undefined> {
  const file = join(folder, name);
  return (await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file])) ? file : undefined;
}

/** @param keys public keys by the folder below `root` that each may read; undefined, or why there is none */
export async function startSshd(
  t: TestContext,
  {
    folder,
    root,
    keys,
  }: {
    readonly folder: string;
    readonly root: string;
    readonly keys: readonly (readonly [publicKey: string, below: string])[];
  },
): Promise<Sshd | string> {
  const program = await firstOf(["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"]);
  const hostKeyFile = await makeSshKey(folder, "host_ed25519");
  if (program === undefined || hostKeyFile === undefined) return "no OpenSSH server";
  // What its package's start script would do.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  const wrapper = join(folder, "ssh-serve");
  await writeFile(wrapper, serve(root), { mode: 0o755 });
  const lines = keys.map(([key, below]) => `restrict,command="${wrapper} ${below}" ${key}`);
  await writeFile(join(folder, "authorized_keys"), `${lines.join("\n")}\n`, { mode: 0o600 });
  const port = await freePort();
  const config = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "UsePAM no",
    "StrictModes no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin forced-commands-only",
    "PidFile none",
    "LogLevel VERBOSE",
  ];
  await writeFile(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  const child = spawn(program, ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  atEnd(t, () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  while (!said.includes("Server listening")) {
    if (child.exitCode !== null) return `sshd does not start: ${said}`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { stdout } = await output("ssh-keygen", ["-y", "-f", hostKeyFile]);
  return {
    port,
    user: userInfo().username,
    hostKey: stdout.trim().split(" ").slice(0, 2).join(" "),
    connections: () => said.split("Connection from").length - 1,
    said: () => said,
  };
}

/** Serves one folder of repositories, and nothing but reading of it. */
function serve(root: string): string {
  return `#!/bin/sh
path=\${SSH_ORIGINAL_COMMAND#"git-upload-pack '/"}
path=\${path%"'"}
case $path in
  *..*|*"'"*) exit 3 ;;
  "$1"|"$1"/*) exec git-upload-pack '${root}'/"$path" ;;
  *) echo "this key may not read $path" >&2; exit 1 ;;
esac
`;
}

async function firstOf(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

async function run(program: string, args: readonly string[]): Promise<boolean> {
  return (await output(program, args)).code === 0;
}

async function output(program: string, args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? -1, stdout };
  } catch {
    return { code: -1, stdout }; // there is no such program
  }
}
