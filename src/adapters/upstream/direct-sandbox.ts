// The folder and the environment of one child: everything it may know stands here. Nothing of this process's own
// environment is passed on but PATH (T-41); credentials lie in files that only we can read, and go with the folder.

import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HeaderLine } from "#protocol/goauth.ts";
import { splitAddress } from "./direct-dial.ts";
import { defaultUser } from "./direct-goauth.ts";
import type { Places, Site } from "./direct-places.ts";
import type { Pass } from "./direct-filter.ts";

export type Sandbox = {
  readonly folder: string;
  /** An empty one without a go.mod: where the child runs. */
  readonly work: string;
  /** GOPROXY layout of what was downloaded. */
  readonly downloads: string;
  readonly env: Readonly<Record<string, string>>;
  /** What git sends to a repository, and to none beside it, from its next start on. */
  allow(repo: URL, headers: readonly HeaderLine[]): Promise<void>;
  remove(): Promise<void>;
};

/** Begins the names of our folders; the process id follows. */
const folderPrefix = "granary-direct-";

/** Go's own memory, in which it can tidy up before the hard limit strikes. */
const goMemLimit = "512MiB";

export type SandboxUse = {
  readonly places: Places;
  /** Where the folders are made. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export async function makeSandbox({ places, root, env }: SandboxUse, pass: Pass): Promise<Sandbox> {
  await mkdir(root, { recursive: true });
  const folder = await mkdtemp(join(root, `${folderPrefix}${process.pid}-`));
  try {
    return await fill(folder, { places, env }, pass);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

async function fill(folder: string, { places, env }: Omit<SandboxUse, "root">, pass: Pass): Promise<Sandbox> {
  const at = (name: string): string => join(folder, name);
  for (const name of ["home", "tmp", "work", "secrets"]) await mkdir(at(name), { mode: 0o700 });
  const secret = async (name: string, text: string): Promise<string> => {
    await writeFile(at(`secrets/${name}`), text, { mode: 0o600 });
    return at(`secrets/${name}`);
  };
  // Git reads the second file last, and passes over it while it is not there.
  const gitConfig = await secret(
    "gitconfig",
    (await gitConfigOf(places, { proxy: pass.gitProxy, secret })) +
      section("include", { path: at(`secrets/${saidLater}`) }),
  );
  const ssh = await secret("ssh_config", sshConfigOf(places));
  return {
    folder,
    work: at("work"),
    downloads: at("mod/cache/download"),
    env: { ...machineEnv(env), ...goEnv(at, pass.goProxy), ...gitEnv(gitConfig, { ssh, places }) },
    allow: allowing(secret),
    remove: () => removeFolder(folder),
  };
}

type Secret = (name: string, text: string) => Promise<string>;

/** The configuration file of what is only known when a repository has been found. */
const saidLater = "gitconfig-later";

function allowing(secret: Secret): Sandbox["allow"] {
  const sections = new Map<string, string>();
  return async (repo, headers) => {
    sections.set(repo.href, headerSection(repo, headers));
    await secret(saidLater, [...sections.values()].join(""));
  };
}

/** Git would carry a header wherever it is redirected to: it follows no redirect from there. */
function headerSection({ host, pathname }: URL, headers: readonly HeaderLine[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const url = `https://${host}${pathname.replace(/\/$/, "")}`;
  return section(`http.${url}`, { extraHeader: ["", ...lines], followRedirects: "false" });
}

/** What a program needs of the machine to run at all. */
function machineEnv(env: SandboxUse["env"]): Record<string, string> {
  const kept = ["PATH", "SystemRoot", "PATHEXT"].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LANG: "C", LC_ALL: "C", TZ: "UTC" };
}

function goEnv(at: (name: string) => string, proxy: string): Record<string, string> {
  return {
    HOME: at("home"),
    TMPDIR: at("tmp"),
    GOTMPDIR: at("tmp"),
    GOPATH: at("go"),
    GOMODCACHE: at("mod"),
    GOCACHE: at("cache"),
    GOENV: "off",
    GOFLAGS: "-modcacherw",
    GO111MODULE: "on",
    GOWORK: "off",
    GOTOOLCHAIN: "local",
    GOTELEMETRY: "off",
    GODEBUG: "",
    GOEXPERIMENT: "",
    CGO_ENABLED: "0",
    GOMEMLIMIT: goMemLimit,
    GOPROXY: "direct",
    // What comes is held against our own pins and databases afterwards.
    GOSUMDB: "off",
    GOPRIVATE: "",
    GONOPROXY: "",
    GONOSUMDB: "",
    GOVCS: "*:git",
    GOAUTH: "off",
    // Lets go ask our filter in the clear where a repository is; the filter asks the host over verified TLS.
    GOINSECURE: "*",
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: "",
  };
}

function gitEnv(
  config: string,
  { ssh, places }: { readonly ssh: string; readonly places: Places },
): Record<string, string> {
  const has = (key: "sshKey" | "http"): boolean =>
    places.sites.some(({ place }) => place[key] !== undefined && place[key] !== false);
  return {
    GIT_CONFIG_GLOBAL: config,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_ALLOW_PROTOCOL: ["https", ...(has("http") ? ["http"] : []), ...(has("sshKey") ? ["ssh"] : [])].join(":"),
    GIT_SSH_COMMAND: `ssh -F '${ssh.replaceAll("'", "'\\''")}'`,
    GIT_SSH_VARIANT: "ssh",
  };
}

type GitConfigUse = { readonly proxy: string; readonly secret: Secret };

async function gitConfigOf(places: Places, { proxy, secret }: GitConfigUse): Promise<string> {
  const lines = [
    section("http", { proxy, proxyAuthMethod: "basic", emptyAuth: "false", followRedirects: "initial" }),
    section("protocol.ext", { allow: "never" }),
    section("protocol.file", { allow: "never" }),
    section("core", {
      hooksPath: "/dev/null",
      fsmonitor: "false",
      askPass: "",
      attributesFile: "/dev/null",
      excludesFile: "/dev/null",
    }),
    section("gc", { auto: "0" }),
    section("maintenance", { auto: "false" }),
    section("submodule", { recurse: "false" }),
    section("fetch", { recurseSubmodules: "false" }),
    section("credential", { helper: "", interactive: "false" }),
  ];
  // The shortest path first: what a longer one says is read later and holds.
  for (const [index, site] of places.sites.toReversed().entries())
    lines.push(...(await siteLines(site, `${index}`, secret)));
  return lines.join("");
}

async function siteLines({ place, host, path, pem }: Site, name: string, secret: Secret): Promise<string[]> {
  const url = `https://${host}${path}`;
  const lines: string[] = [];
  if (pem !== undefined)
    lines.push(section(`http.https://${host}/`, { sslCAInfo: await secret(`ca-${name}.pem`, pem) }));
  if (place.password !== undefined) {
    const pair = `${encodeURIComponent(place.user ?? defaultUser)}:${encodeURIComponent(place.password)}`;
    const file = await secret(`credentials-${name}`, `https://${pair}@${host}\n`);
    // Asked only for this host, and paths at or below this one; an empty helper forgets those of wider places.
    lines.push(section(`credential.${url}`, { helper: ["", `store --file '${file.replaceAll("'", "'\\''")}'`] }));
  }
  if (place.sshKey !== undefined) lines.push(...sshLines({ place, host, path }));
  return lines;
}

/** Git asks for each place under a name of its own: places of one host may have different keys, as deploy keys are. */
function sshLines(site: Pick<Site, "place" | "host" | "path">): string[] {
  const { place, host, path } = site;
  const { username, port } = new URL(place.url ?? "https://x");
  const user = place.user ?? (username === "" ? "git" : username);
  if (place.url?.startsWith("ssh:") === true)
    return [
      section(`url.ssh://${user}@${sshAlias(site)}${port === "" ? "" : `:${port}`}${path}`, { insteadOf: place.url }),
    ];
  // A go-import tag may say ssh itself.
  const prefixes = [`https://${host}${path}/`, `ssh://${host}${path}/`, `ssh://${user}@${host}${path}/`];
  return [section(`url.ssh://${user}@${sshAlias(site)}${path}/`, { insteadOf: prefixes })];
}

/** A name that stands for a place in ssh's configuration; no resolver is asked for it. */
function sshAlias({ host, path }: Pick<Site, "host" | "path">): string {
  return `${host}${path.replaceAll(/[^\w.-]/g, (char) => `_${char.charCodeAt(0).toString(16)}`)}`;
}

/** `name` is `section` or `section.subsection`; values are quoted as git reads them. */
function section(name: string, values: Readonly<Record<string, string | readonly string[]>>): string {
  const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  const dot = name.indexOf(".");
  const title = dot < 0 ? name : `${name.slice(0, dot)} ${quote(name.slice(dot + 1))}`;
  const rows = Object.entries(values).flatMap(([key, value]) =>
    [value].flat().map((each) => `\t${key} = ${quote(each)}\n`),
  );
  return `[${title}]\n${rows.join("")}`;
}

/** A host that is not listed is not connected to: OpenSSH takes the first value it finds. */
function sshConfigOf(places: Places): string {
  const blocks: string[] = [];
  for (const site of places.sites) {
    const { place, host } = site;
    if (place.sshKey === undefined) continue;
    const [plain] = splitAddress(place.address ?? host);
    const [address, port] = splitAddress(place.sshAddress ?? plain);
    const rows = [
      `HostName ${address}`,
      ...(port === undefined ? [] : [`Port ${port}`]),
      `HostKeyAlias ${host}`,
      `IdentityFile "${place.sshKey}"`,
      `UserKnownHostsFile "${place.knownHosts ?? "/dev/null"}"`,
      "ProxyCommand none",
    ];
    // The host's own name is for repositories that a page leads to beyond the places: the narrowest place answers.
    blocks.push(`Host ${[...new Set([sshAlias(site), host])].join(" ")}\n${rows.map((row) => `  ${row}\n`).join("")}`);
  }
  const common = [
    "ProxyCommand false",
    "GlobalKnownHostsFile /dev/null",
    "StrictHostKeyChecking yes",
    "IdentitiesOnly yes",
    "IdentityAgent none",
    "BatchMode yes",
    "PasswordAuthentication no",
    "ForwardAgent no",
    "PermitLocalCommand no",
    "ControlMaster no",
    "ControlPath none",
    "ConnectTimeout 10",
  ];
  return `${blocks.join("")}Host *\n${common.map((row) => `  ${row}\n`).join("")}`;
}

/** Folders of a module cache may be read-only. A folder that cannot be removed is found at the next start. */
async function removeFolder(folder: string): Promise<void> {
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  await remove().catch(async () => {
    await openUp(folder);
    await remove().catch(() => undefined);
  });
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => undefined);
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) await openUp(join(folder, entry.name));
}

/** Removes what processes left behind that are no more. */
export async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const [, pid] = new RegExp(`^${folderPrefix}(\\d{1,10})-`).exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await removeFolder(join(root, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Leaves nothing in a sandbox's folder but what was downloaded; its new place. */
export async function keepDownloads({ folder, downloads }: Sandbox): Promise<string> {
  const kept = join(folder, keptName);
  await rename(downloads, kept);
  for (const name of await readdir(folder)) if (name !== keptName) await removeFolder(join(folder, name));
  return kept;
}

const keptName = "kept";
