// A company with a git host of its own, and a Granary that builds its modules: password, TLS of the house's own
// authority, an own checksum database that clients are told to trust.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "#protocol/note.ts";
import { makeCertificate } from "./certificate.ts";
import type { Certificate } from "./certificate.ts";
import { startGitHost } from "./git-host.ts";
import type { GitHost, GitHostOptions } from "./git-host.ts";
import { startGranary } from "./granary.ts";
import type { RunningGranary } from "./granary.ts";

export const corpHost = "git.corp.example";
/** Must appear nowhere but in the file that it stands in. */
export const plantedSecret = "s3cret-planted-Zm9v";
const login = { user: "builder", password: plantedSecret };

export type DirectWorld = {
  readonly folder: string;
  /** Bare repositories lie here: `team/repo` is the module git.corp.example/team/repo. */
  readonly repositories: string;
  readonly host: GitHost;
  readonly certificate: Certificate;
  /** GOSUMDB of the own database. */
  readonly verifierKey: string;
  readonly store: string;
  start(options?: StartOptions): Promise<RunningGranary>;
  close(): Promise<void>;
};

export type StartOptions = {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Lines in place of those that say who we are at the git host, two spaces deep. */
  readonly place?: string;
  /** More lines of the configuration file. */
  readonly more?: string;
  readonly direct?: string;
};

export type DirectWorldOptions = Pick<GitHostOptions, "before"> & {
  /** More names of the git host. */
  readonly hosts?: readonly string[];
  /** Everybody may read. */
  readonly isOpen?: boolean;
};

/** Undefined where there is no openssl. */
export async function directWorld(options: DirectWorldOptions = {}): Promise<DirectWorld | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "granary-direct-test-"));
  const certificate = await makeCertificate(folder, "corp", [corpHost, ...(options.hosts ?? [])]);
  if (certificate === undefined) {
    await rm(folder, { recursive: true });
    return undefined;
  }
  const repositories = join(folder, "repositories");
  const host = await startGitHost({
    root: repositories,
    certificate,
    host: corpHost,
    ...options,
    ...(options.isOpen !== true && { login }),
  });
  const { signerKey, verifierKey } = generateKey("sum.corp.example", Buffer.alloc(32, 5));
  await writeFile(join(folder, "sumlog.key"), `${signerKey}\n`, { mode: 0o600 });
  await writeFile(join(folder, "password"), `${plantedSecret}\n`, { mode: 0o600 });
  const store = join(folder, "store");
  const running: RunningGranary[] = [];
  const place = [
    `    address: ${host.address}`,
    `    user: ${login.user}`,
    `    password: file:${join(folder, "password")}`,
    `    ca: ${certificate.cert}`,
  ].join("\n");
  return {
    folder,
    repositories,
    host,
    certificate,
    verifierKey,
    store,
    start: async ({ flags = [], env = {}, more = "", direct = `${corpHost}/*`, ...options } = {}) => {
      const config = join(folder, `granary-${running.length}.yaml`);
      await writeFile(config, `repositories:\n  ${corpHost}:\n${options.place ?? place}\n${more}`);
      const granary = await startGranary({
        upstream: "off",
        store,
        env: { GRANARY_DIRECT_FOLDER: join(folder, "runs"), GRANARY_LOGDIR: join(folder, "logs"), ...env },
        flags: [`--config=${config}`, `--direct=${direct}`, `--sumlog-key=${join(folder, "sumlog.key")}`, ...flags],
      });
      running.push(granary);
      return granary;
    },
    close: async () => {
      for (const granary of running) await granary.stop();
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
