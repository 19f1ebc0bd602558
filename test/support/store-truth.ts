// What must be true of a store after whatever happened to it: nothing torn or wrong under a name that clients read, every
// manifest keeps its word, what was acknowledged is there, and what is missing can be had again.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { formatInfo, parseInfo } from "#protocol/info.ts";
import { verifyStore } from "#services/store/survey.ts";
import { openInside } from "./inside-server.ts";
import type { InsideServer, Place } from "./inside-server.ts";
import type { ModuleFixture } from "./modules.ts";
import type { StubUpstream } from "./stub-upstream.ts";

/** Request path of each file of some versions, and the bytes that a client must get. */
export type Truth = ReadonlyMap<string, Buffer>;

/** The paths have no capital letters in tests that use this: escaped and plain are the same. */
export function pathsOf({ path, version }: Pick<ModuleFixture, "path" | "version">): string[] {
  return [".info", ".mod", ".zip"].map((ending) => `/${path}/@v/${version}${ending}`);
}

export function truthOf(modules: readonly ModuleFixture[], stub: StubUpstream): Truth {
  const truth = new Map<string, Buffer>();
  for (const path of modules.flatMap(pathsOf)) {
    const bytes = stub.bytes(path);
    truth.set(path, Buffer.from(path.endsWith(".info") ? formatInfo(parseInfo(bytes)) : bytes));
  }
  return truth;
}

/** What the lines of a life say was acknowledged. Throws when one of the answers was wrong. */
export function acknowledgedIn(lines: readonly string[], truth: Truth): string[] {
  return lines.flatMap((line) => {
    const [word, path = "", hash] = line.split(" ");
    if (word !== "ack") return [];
    assert.equal(hash, sha256(truth.get(path) ?? Buffer.alloc(0)), `wrong bytes left: ${path}`);
    return [path];
  });
}

export type Expected = {
  readonly place: Place;
  readonly truth: Truth;
  readonly acknowledged: readonly string[];
  /** Fetched again, or still there: must all be answered. */
  readonly wanted: readonly string[];
  readonly verifyEntry: URL;
};

/** Everything, with a server started on the store. */
export async function checkStore(expected: Expected): Promise<void> {
  const { place, truth, acknowledged, wanted } = expected;
  await checkAllFiles(place.root, truth);
  await checkSurvey(place.root, { mayBeUnlisted: true });
  const server = await openInside(place, expected.verifyEntry);
  try {
    await checkTemp(place.root);
    for (const path of acknowledged) await isServed(server, `/cached-only${path}`, truth.get(path));
    for (const path of wanted) await isServed(server, path, truth.get(path));
    for (const path of wanted) await isServed(server, `/cached-only${path}`, truth.get(path));
    // Whoever reads a list makes it whole.
    for (const list of new Set([...truth.keys()].map(listOf))) await server.get(`/cached-only${list}`);
    await checkLists(server, wanted);
  } finally {
    await server.close();
  }
  await checkAllFiles(place.root, truth);
  await checkSurvey(place.root, { mayBeUnlisted: false });
}

/** What lies under the names of some versions' files is what it should be, named by a manifest or not. */
export async function checkFiles(root: string, truth: Truth, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const bytes = await readFile(join(root, "modules", path)).catch(() => undefined);
    assert.ok(bytes === undefined || truth.get(path)?.equals(bytes), `${path} has wrong bytes`);
  }
}

/** The same of every file that a client of the directory could take for a module's. */
async function checkAllFiles(root: string, truth: Truth): Promise<void> {
  const names = await readdir(join(root, "modules"), { recursive: true }).catch(() => []);
  const paths = names.filter((name) => !name.startsWith("sumdb/") && /\.(info|mod|zip)$/.test(name));
  for (const name of paths) assert.ok(truth.has(`/${name}`), `${name} is nobody's`);
  await checkFiles(
    root,
    truth,
    paths.map((name) => `/${name}`),
  );
}

/** Every committed file is what its manifest says. A version between its commit and its list is missing there. */
export async function checkSurvey(root: string, { mayBeUnlisted }: { readonly mayBeUnlisted: boolean }): Promise<void> {
  const storage = await openDiskStorage(root, { fsync: "never" });
  const { findings } = await verifyStore(storage, () => undefined);
  const left = findings.filter(({ key }) => !mayBeUnlisted || !key.endsWith("/@v/list"));
  assert.deepEqual(left, []);
}

/** Nothing of the dead is left but what somebody may go on with. */
async function checkTemp(root: string): Promise<void> {
  const names = await readdir(join(root, "tmp"));
  const journals = names.filter((name) => name.endsWith(".journal"));
  const allowed = (name: string): boolean =>
    name.startsWith(`${process.pid}-`) || journals.some((journal) => journal.startsWith(name));
  assert.deepEqual(
    names.filter((name) => !allowed(name)),
    [],
  );
}

async function checkLists(server: InsideServer, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (!path.endsWith(".zip")) continue;
    const list = (await server.get(`/cached-only${listOf(path)}`))?.body.toString().split("\n");
    assert.ok(list?.includes(path.slice(path.lastIndexOf("/") + 1, -".zip".length)), `${path} is not listed`);
  }
}

function listOf(path: string): string {
  return `${path.slice(0, path.lastIndexOf("/"))}/list`;
}

async function isServed(server: InsideServer, path: string, bytes: Buffer | undefined): Promise<void> {
  const answer = await server.get(path);
  assert.equal(answer?.status, 200, `${path}: ${answer?.body.toString() ?? "broken off"}`);
  assert.ok(bytes?.equals(answer.body), `${path}: wrong bytes`);
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
