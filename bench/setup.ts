// What every work needs: the corpus, an upstream some way off, and a store of Granary's that was filled as users fill
// it: by asking for every file once, verified by the checksum database.
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { newFolder, onPath, runToEnd } from "./children.ts";
import { getBytes, inParallel } from "./client.ts";
import { buildCorpus, listFiles } from "./corpus.ts";
import type { Corpus } from "./corpus.ts";
import type { Work } from "./report.ts";
import { startGranary } from "./servers.ts";
import type { GranaryUse, Subject } from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

export type Bench = {
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly corpus: Corpus;
  readonly far: Upstream;
  /** Granary's store with the whole corpus in it. */
  readonly store: string;
  /** Request targets of full checksum tiles. */
  readonly tiles: readonly string[];
  /** CA file of the far upstream's https listener. */
  readonly ca: string | undefined;
  /** How the store was filled. */
  readonly seeding: string;
};

export type BenchOptions = Pick<Bench, "quick" | "rounds" | "seconds"> & {
  /** `path@version` of a project whose modules are the corpus. */
  readonly project: string;
};

export async function setUp(options: BenchOptions): Promise<Bench> {
  const { project, ...rest } = options;
  const corpus = await buildCorpus(project);
  const tls = await certificate(corpus);
  const far = await startUpstream({ root: corpus.root, live: corpus.live, ...(tls === undefined ? {} : { tls }) });
  const store = await newFolder("store");
  const seeding = await seed(corpus, { far, store });
  await far.set({ frozen: true });
  return { ...rest, corpus, far, store, seeding, tiles: await fullTiles(corpus), ca: tls?.cert };
}

/** Granary's flags for this corpus. */
export function granaryUse(
  corpus: Corpus,
  at: { readonly store: string; readonly upstream: string; readonly far: Upstream },
): GranaryUse {
  const { database } = corpus;
  const sumdb = database === undefined ? "off" : `${database} ${at.far.url}/sumdb/${database}`;
  return { store: at.store, upstream: at.upstream, sumdb };
}

/** Granary on the filled store. */
export async function granaryOn(bench: Bench, use: { readonly upstream: string }): Promise<Subject> {
  const { corpus, far, store } = bench;
  return startGranary(granaryUse(corpus, { store, far, ...use }));
}

/** Runs `work` with the servers that could be started, and stops them. */
export async function withSubjects<T>(
  starts: readonly Promise<Subject | undefined>[],
  work: (subjects: readonly Subject[]) => Promise<T>,
): Promise<T> {
  const settled = await Promise.allSettled(starts);
  const subjects = settled.flatMap((one) => (one.status === "fulfilled" && one.value !== undefined ? [one.value] : []));
  try {
    for (const one of settled) if (one.status === "rejected") throw one.reason;
    return await work(subjects);
  } finally {
    await Promise.all(subjects.map((one) => one.stop()));
  }
}

export function needed(subjects: readonly Subject[], name: string): Subject {
  const found = subjects.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name} does not run`);
  return found;
}

/** A work that cannot be done in this run. */
export function dropOut(id: string, title: string, reason: string): Work {
  return { id, title, verdicts: [], notes: [`not measured: ${reason}`] };
}

/** Bytes of all files below a folder. */
export async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  let total = 0;
  for (const name of names) {
    // Temporary files may go away while we look.
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() === true) total += found.size;
  }
  return total;
}

async function seed(corpus: Corpus, at: { readonly far: Upstream; readonly store: string }): Promise<string> {
  const granary = await startGranary(granaryUse(corpus, { ...at, upstream: at.far.url }));
  const start = Date.now();
  const targets = [...corpus.small, ...corpus.zips].map(({ target }) => target);
  try {
    await inParallel(targets, 16, async (target) => {
      await getBytes(granary.base + target);
    });
    if (corpus.database !== undefined) await askDatabase(granary, corpus);
  } finally {
    await granary.stop();
  }
  const verified = corpus.database === undefined ? "with the checksum database off" : "every version verified";
  return `${targets.length} files asked of an empty Granary in ${((Date.now() - start) / 1000).toFixed(1)} s, ${verified}`;
}

/** What clients ask of the checksum database, so that it is kept: each record, and the tiles there are. */
async function askDatabase(granary: Subject, corpus: Corpus): Promise<void> {
  const base = `/sumdb/${corpus.database ?? ""}`;
  const lookups = corpus.zips.map(({ target }) => target.replace("/@v/", "@").replace(/\.zip$/, ""));
  const targets = [
    `${base}/latest`,
    ...lookups.map((target) => `${base}/lookup${target}`),
    ...(await fullTiles(corpus)),
  ];
  await inParallel(targets, 16, async (target) => {
    await getBytes(granary.base + target).catch(() => undefined);
  });
}

async function fullTiles(corpus: Corpus): Promise<string[]> {
  if (corpus.database === undefined || !existsSync(join(corpus.root, "sumdb"))) return [];
  const files = await listFiles(corpus.root);
  return files
    .filter((file) => file.startsWith(`/sumdb/${corpus.database ?? ""}/tile/`) && !file.includes(".p/"))
    .sort();
}

/** PEM files. */
type Certificate = { readonly cert: string; readonly key: string; readonly database: string };

/** A self-signed certificate for 127.0.0.1, for the one peer that insists on https. */
export async function certificate(corpus: Pick<Corpus, "database">): Promise<Certificate | undefined> {
  const openssl = onPath("openssl");
  if (openssl === undefined || corpus.database === undefined) return undefined;
  const folder = await newFolder("tls");
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  await runToEnd({ command: openssl, args: [...kind, ...name, "-keyout", key, "-out", cert] });
  return { cert, key, database: corpus.database };
}
