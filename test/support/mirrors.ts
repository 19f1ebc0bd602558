// A Granary before two mirrors A and B (or A alone) that have the same modules and tunnel the same checksum database.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { settingKeys, variableOf } from "#app/config-schema.ts";
import { atEnd } from "./at-end.ts";
import type { Fault } from "./faults.ts";
import { startGranary } from "./granary.ts";
import type { RunningGranary } from "./granary.ts";
import { someBytes } from "./manifests.ts";
import { makeModule } from "./modules.ts";
import type { ModuleFixture } from "./modules.ts";
import type { StubOptions, StubUpstream } from "./stub-upstream.ts";
import { startUpstreams } from "./world.ts";

/** Shorter waits, and nothing that happens by itself. Only names that the product knows are set. */
const testSettings: Readonly<Record<string, string>> = {
  "upstreamClient.silence": "1s",
  "upstreamClient.responseHeaderTimeout": "3s",
  "upstreamClient.bodyIdleTimeout": "3s",
  "probe.every": "1s",
  // What was fetched ahead never meets the fault that waits for it.
  prefetch: "off",
};

export type Mirrors = {
  readonly a: StubUpstream;
  readonly b: StubUpstream;
  readonly granary: RunningGranary;
  /** `PATH-ON-GRANARY`: the whole answer. */
  readonly get: (
    path: string,
  ) => Promise<{ readonly status: number; readonly headers: Headers; readonly body: Buffer }>;
  /** The answer to `path` is 200 and what a good mirror has. */
  readonly mustHave: (path: string) => Promise<void>;
  close(): Promise<void>;
};

export type MirrorsOptions = {
  readonly modules: readonly ModuleFixture[];
  /** A is the only upstream. */
  readonly sole?: boolean;
  /** Other values than `testSettings`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly stubs?: { readonly a?: Partial<StubOptions>; readonly b?: Partial<StubOptions> };
};

/** As startMirrors, for as long as the test runs. */
export async function mirrorsFor(t: TestContext, options: MirrorsOptions): Promise<Mirrors> {
  const mirrors = await startMirrors(options);
  atEnd(t, async () => {
    await mirrors.close();
    assert.deepEqual(mirrors.a.waitingFaults, []);
  });
  return mirrors;
}

/** Past this a client would have given up, and so does the test. */
const patienceMs = 90_000;

async function startMirrors({ modules, sole = false, stubs = {}, settings = {} }: MirrorsOptions): Promise<Mirrors> {
  const { stub: a, database } = await startUpstreams(modules, stubs.a);
  const { stub: b } = await startUpstreams(modules, stubs.b);
  const known = Object.entries({ ...testSettings, ...settings }).filter(([key]) =>
    (settingKeys as readonly string[]).includes(key),
  );
  const env = Object.fromEntries(known.map(([key, value]) => [variableOf(key as never), value]));
  const granary = await startGranary({
    upstream: sole ? a.url : `${a.url},${b.url}`,
    sumdb: `${database.verifierKey} ${sole ? a.url : b.url}/sumdb/${database.name}`,
    env,
  });
  const get = async (path: string) => {
    const response = await fetch(granary.url + path, { signal: AbortSignal.timeout(patienceMs) });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  };
  return {
    a,
    b,
    granary,
    get,
    mustHave: async (path) => {
      const { status, body } = await get(path);
      assert.equal(status, 200, `${path}: ${status} ${body.subarray(0, 700).toString()}`);
      const right = Buffer.from(b.bytes(path));
      // `.info` and `list` are written anew: what they say must be the same.
      if (path.endsWith(".info") || path.endsWith("/@latest"))
        assert.deepEqual(JSON.parse(body.toString()), JSON.parse(right.toString()), path);
      else assert.ok(body.equals(right), `${path}: ${body.length} bytes that are not the ${right.length} right ones`);
    },
    close: async () => {
      await granary.stop();
      await a.close();
      await b.close();
    },
  };
}

/** A module whose zip has about `bytes` bytes that do not compress. */
export function moduleOf(path: string, bytes: number, seed = 1): ModuleFixture {
  // Base64 has six bits to eight, which deflate gets back.
  const blob = Buffer.from(someBytes(bytes, seed)).toString("base64");
  return makeModule({ path, version: "v1.0.0", files: { "go.mod": `module ${path}\n`, "blob.txt": blob } });
}

export const fileOf = (module: ModuleFixture, ending: string): string =>
  `/${module.path}/@v/${module.version}.${ending}`;

/** Small modules, one for each case. */
export function modulesFor(cases: number, name: string, bytes = 500): ModuleFixture[] {
  return Array.from({ length: cases }, (_, n) => moduleOf(`example.com/${name}/m${n}x`, bytes, n + 1));
}

export const listOf = (module: ModuleFixture): string => `/${module.path}/@v/list`;

export function statusFault(status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: "status", status, headers };
}
