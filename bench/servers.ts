// The servers that are compared, each started the way its own documents say for production: logs off or at errors
// only, plain HTTP/1.1 on loopback. Granary runs with everything on that it has on by default.
import { copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { dropFolder, freePort, newFolder, onPath, start, untilAnswering, untilSaid } from "./children.ts";
import type { Child } from "./children.ts";
import { goCommand, listFiles } from "./corpus.ts";
import type { Corpus } from "./corpus.ts";

export type Subject = {
  readonly name: string;
  readonly base: string;
  readonly pid: number;
  /** How this server spells a request target of ours. */
  readonly spell: (target: string) => string;
  stop(): Promise<void>;
};

export const repository = resolve(import.meta.dirname, "..");

/** The binaries of the peers, when they were given. */
export const peers = {
  goproxy: process.env["GRANARY_BENCH_GOPROXY"],
  athens: process.env["GRANARY_BENCH_ATHENS"],
} as const;

const asIs = (target: string): string => target;

export type GranaryUse = {
  readonly store: string;
  readonly upstream: string;
  /** `--sumdb`. */
  readonly sumdb: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The bundle instead of bin/granary.ts. */
  readonly program?: string;
  /** Flags of Node itself, beside GRANARY_BENCH_NODE_FLAGS. */
  readonly nodeFlags?: readonly string[];
  /** Characters of its log that are kept. */
  readonly keepOutput?: number;
};

export async function startGranary(use: GranaryUse): Promise<Subject> {
  return subject("Granary", await spawnGranary(use));
}

/** The child itself, for those who measure its start. */
export function granaryChild(use: GranaryUse): Child {
  const nodeFlags = (process.env["GRANARY_BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
  return start({
    command: process.execPath,
    args: [
      "--disable-warning=ExperimentalWarning",
      ...nodeFlags,
      ...(use.nodeFlags ?? []),
      use.program ?? join(repository, "bin/granary.ts"),
      "serve",
      "--listen=127.0.0.1:0",
      `--store=${use.store}`,
      `--upstream=${use.upstream}`,
      `--sumdb=${use.sumdb}`,
      "--private=",
      ...(use.flags ?? []),
    ],
    env: { GOENV: "off", ...use.env },
    ...(use.keepOutput === undefined ? {} : { keepOutput: use.keepOutput }),
  });
}

export const granaryReady = /^granary listening on (\S+)$/m;

async function spawnGranary(use: GranaryUse): Promise<Started> {
  const child = granaryChild(use);
  const [, base = ""] = await untilSaid(child, granaryReady);
  return { child, base };
}

/** node:http with the same bytes. `targets` are all it answers. */
export async function startBare(root: string, targets: readonly string[]): Promise<Subject> {
  const folder = await newFolder("bare");
  const list = join(folder, "targets");
  await writeFile(list, `${targets.join("\n")}\n`);
  const child = start({ command: process.execPath, args: [join(import.meta.dirname, "bare.ts"), root, list] });
  const [, base = ""] = await untilSaid(child, /^bare listening on (\S+)$/m);
  return subject("bare node:http", { child, base, folders: [folder] });
}

/** nginx with sendfile over the same folder; undefined when it is not on PATH. */
export async function startNginx(root: string): Promise<Subject | undefined> {
  const command = onPath("nginx");
  if (command === undefined) return undefined;
  const folder = await newFolder("nginx");
  const port = await freePort();
  await writeFile(join(folder, "nginx.conf"), nginxConfig(folder, { root, port }));
  const args = ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")];
  const child = start({ command, args });
  const base = `http://127.0.0.1:${port}`;
  await untilAnswering(child, base);
  return subject("nginx", { child, base, folders: [folder] });
}

export type PeerUse = {
  readonly corpus: Corpus;
  /** Starts with the whole corpus (default) or with an empty store. */
  readonly empty?: boolean;
  /** GOPROXY of the peer; default: `off`, it serves what it has. */
  readonly upstream?: string;
  /** Where the peer reaches the corpus's checksum database: base URL. */
  readonly database?: string;
  /** CA file that makes `database` trustworthy. */
  readonly ca?: string;
};

/** goproxy/goproxy with its directory cacher; undefined without its binary. */
export async function startGoproxy(use: PeerUse): Promise<Subject | undefined> {
  if (peers.goproxy === undefined) return undefined;
  const folder = await newFolder("goproxy");
  if (use.empty !== true) await linkTree(use.corpus.root, join(folder, "cache"), (file) => file);
  await mkdir(join(folder, "temp"));
  const port = await freePort();
  const { name } = databaseOf(use);
  const databases = use.database === undefined ? [] : [`--proxied-sumdbs=${name} ${use.database}`];
  const child = start({
    command: peers.goproxy,
    args: [
      "server",
      `--address=127.0.0.1:${port}`,
      "--cacher=dir",
      `--cacher-dir=${join(folder, "cache")}`,
      `--temp-dir=${join(folder, "temp")}`,
      ...databases,
    ],
    env: { ...goEnv(folder), GOPROXY: use.upstream ?? "off", GOSUMDB: "off" },
  });
  const base = `http://127.0.0.1:${port}`;
  await untilAnswering(child, base);
  return subject("goproxy", { child, base, folders: [folder] });
}

/** Athens with its disk storage and 256 protocol workers (the better of its two usual settings). */
export async function startAthens(use: PeerUse): Promise<Subject | undefined> {
  if (peers.athens === undefined) return undefined;
  const folder = await newFolder("athens");
  const storage = join(folder, "storage");
  await mkdir(storage);
  if (use.empty !== true) await linkTree(use.corpus.root, storage, athensName);
  const port = await freePort();
  const { host, name } = databaseOf(use);
  const child = start({
    command: peers.athens,
    args: [],
    cwd: folder,
    env: { ...goEnv(folder), ...athensEnv(use, { storage, port }) },
  });
  const base = `http://127.0.0.1:${port}`;
  await untilAnswering(child, base);
  const spell = (target: string): string => target.replace(`/sumdb/${name}/`, `/sumdb/${host}/`);
  return subject("Athens", { child, base, folders: [folder], spell });
}

/** `file` of a GOPROXY folder at its place in Athens' storage: names unescaped, a folder per version. */
function athensName(file: string): string | undefined {
  const [, path = "", version = "", ext = ""] = /^\/(.+)\/@v\/([^/]+)\.(info|mod|zip)$/.exec(file) ?? [];
  if (path === "") return undefined;
  const names: Readonly<Record<string, string>> = { mod: "go.mod", zip: "source.zip" };
  return `/${unescapeCase(path)}/${unescapeCase(version)}/${names[ext] ?? `${unescapeCase(version)}.info`}`;
}

function athensEnv(use: PeerUse, at: { readonly storage: string; readonly port: number }): Record<string, string> {
  const offline = use.upstream === undefined;
  return {
    GO_ENV: "production",
    ATHENS_STORAGE_TYPE: "disk",
    ATHENS_DISK_STORAGE_ROOT: at.storage,
    ATHENS_NETWORK_MODE: offline ? "offline" : "strict",
    ATHENS_DOWNLOAD_MODE: offline ? "none" : "sync",
    ATHENS_GO_BINARY_ENV_VARS: `GOPROXY=${use.upstream ?? "off"};GOSUMDB=off`,
    ATHENS_LOG_LEVEL: "error",
    ATHENS_LOG_FORMAT: "json",
    ATHENS_STATS_EXPORTER: "",
    ATHENS_TRACE_EXPORTER: "",
    ATHENS_PROTOCOL_WORKERS: "256",
    ATHENS_PORT: `127.0.0.1:${at.port}`,
    ...(use.database?.startsWith("https:") === true ? { ATHENS_SUM_DBS: use.database } : {}),
    ...(use.ca === undefined ? {} : { SSL_CERT_FILE: use.ca }),
  };
}

function databaseOf(use: PeerUse): { readonly host: string; readonly name: string } {
  return { host: use.database === undefined ? "" : new URL(use.database).host, name: use.corpus.database ?? "" };
}

/** The peers run `go`: with folders of their own and nothing of this machine's settings. */
function goEnv(folder: string): Record<string, string> {
  return {
    PATH: `${dirname(goCommand())}:${process.env["PATH"] ?? ""}`,
    HOME: folder,
    GOPATH: join(folder, "go"),
    GOMODCACHE: join(folder, "go/pkg/mod"),
    GOCACHE: join(folder, "go/build"),
    GOFLAGS: "-modcacherw",
    GOENV: "off",
    GOTOOLCHAIN: "local",
  };
}

/** Brings files to where a server looks for them: as hard links, which cost nothing and share the page cache. */
export async function linkTree(from: string, to: string, name: (file: string) => string | undefined): Promise<void> {
  const made = new Set<string>();
  for (const file of await listFiles(from)) {
    const place = name(file);
    if (place === undefined) continue;
    const target = join(to, place);
    if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true });
    made.add(dirname(target));
    await link(join(from, file), target).catch(() => copyFile(join(from, file), target));
  }
}

type Started = {
  readonly child: Child;
  readonly base: string;
  readonly folders?: readonly string[];
  readonly spell?: (target: string) => string;
};

function subject(name: string, started: Started): Subject {
  const { child, base, folders = [], spell = asIs } = started;
  return {
    name,
    base,
    pid: child.pid,
    spell,
    stop: async () => {
      await child.stop();
      for (const folder of folders) await dropFolder(folder);
    },
  };
}

function unescapeCase(text: string): string {
  return text.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function nginxConfig(folder: string, at: { readonly root: string; readonly port: number }): string {
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `${user}
daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  ${temps.join("\n  ")}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=10000;
  types { application/zip zip; application/json info; }
  default_type text/plain;
  server { listen 127.0.0.1:${at.port} backlog=2048; root ${at.root}; }
}
`;
}
