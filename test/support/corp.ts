// A company's certificates in a folder: an authority, its server, its people, and a stranger of another authority.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd } from "./at-end.ts";
import { makeAuthority } from "./loopback.ts";
import type { Authority } from "./loopback.ts";

export type Pair = {
  readonly cert: string;
  readonly key: string;
  /** The files. */
  readonly certFile: string;
  readonly keyFile: string;
};

export type Corp = {
  readonly folder: string;
  readonly ca: string;
  readonly caFile: string;
  /** For `localhost`. */
  readonly server: Pair;
  readonly alice: Pair;
  /** Of an authority that nobody trusts. */
  readonly eve: Pair;
  issue(subject: string, names?: readonly string[]): Promise<Pair>;
  /** `--tls-cert … --client-ca …` for `granary serve`. */
  readonly flags: readonly string[];
};

/** Undefined, with a loud skip, where there is no openssl. */
export async function makeCorp(t: TestContext): Promise<Corp | undefined> {
  const authority = makeAuthority(t);
  const others = authority && makeAuthority(t);
  if (authority === undefined || others === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "granary-corp-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const issueOf = async (by: Authority, subject: string, names: readonly string[]): Promise<Pair> => {
    const { cert, key } = by.issue(subject, names);
    const [certFile, keyFile] = [join(folder, `${subject}.pem`), join(folder, `${subject}.key`)];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key, { mode: 0o600 });
    return { cert, key, certFile, keyFile };
  };
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, authority.ca);
  const server = await issueOf(authority, "server", ["localhost"]);
  return {
    folder,
    ca: authority.ca,
    caFile,
    server,
    alice: await issueOf(authority, "alice", []),
    eve: await issueOf(others, "eve", []),
    issue: (subject, names = []) => issueOf(authority, subject, names),
    flags: [`--tls-cert=${server.certFile}`, `--tls-key=${server.keyFile}`, `--client-ca=${caFile}`],
  };
}

type Operation = Readonly<Record<string, unknown>>;

/** The operation log of a directory, parsed, once it has `count` lines and what else is `wanted`. */
export async function operationsIn(
  dir: string,
  count: number,
  wanted: (operations: readonly Operation[]) => boolean = () => true,
): Promise<Operation[]> {
  const { readdir, readFile } = await import("node:fs/promises");
  for (;;) {
    const names = await readdir(dir).catch(() => []);
    const texts = await Promise.all(names.map((name) => readFile(join(dir, name), "utf8")));
    const lines = texts.join("").trim().split("\n");
    // A line may be half written: then the rest is read the next time.
    if (lines.length >= count && lines[0] !== "" && texts.every((text) => text === "" || text.endsWith("\n"))) {
      const operations = lines.map((line) => JSON.parse(line) as Operation);
      if (wanted(operations)) return operations;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
