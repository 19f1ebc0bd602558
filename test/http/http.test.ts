// Every script of this folder, each against a Granary of its own between a stub upstream and nobody else.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rawHttpTarget } from "#adapters/system/raw-http.ts";
import { atEnd } from "../support/at-end.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { parseScript, runScript } from "../support/http-script.ts";
import type { ScriptHooks } from "../support/http-script.ts";
import { makeModule } from "../support/modules.ts";
import { variableOf } from "../../src/app/config-schema.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const zip = "/example.com/multi/v2/@v/v2.1.0.zip";
const info = "/example.com/multi/v2/@v/v2.1.0.info";

/** A good zip of the right module, with other content. */
const otherZip = fixtureZip(
  makeModule({ path: "example.com/multi/v2", version: "v2.1.0", files: { "go.mod": "module example.com/multi/v2\n" } }),
);

/** What scripts can make of the world between two requests. Each fault replaces the one before. */
function hooksOf({ stub }: World): ScriptHooks {
  const fault = (...args: Parameters<typeof stub.fault>): (() => Promise<void>) => {
    return () => {
      stub.clearFaults();
      stub.fault(...args);
      return Promise.resolve();
    };
  };
  return {
    cut: () => stub.cut(),
    restore: () => stub.restore(),
    "fault-refused": fault(info, { kind: "status", status: 403, body: "not for export\n" }),
    "fault-broken": fault(info, { kind: "status", status: 500 }),
    "fault-html": fault(info, { kind: "html" }),
    "fault-zip": fault(zip, { kind: "bytes", body: otherZip }),
    "fault-mod": fault(/\/example\.com\/old\/.*\.mod$/, { kind: "bytes", body: "module example.com/old\n\ngo 1.1\n" }),
    healthy: () => {
      stub.clearFaults();
      return Promise.resolve();
    },
    "never-asked-corp": () => {
      assert.equal(stub.requests(/corp\.example/), 0, [...stub.counts().keys()].join("\n"));
      return Promise.resolve();
    },
  };
}

const scripts = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".txt"));
/** Those that look closest at what a client is sent: a worker must not be told from the owner. */
const throughWorkers = ["caching.txt", "errors.txt", "head.txt", "queries.txt", "targets.txt"];
const runs = [
  ...scripts.map((name) => ({ name, title: name, more: [] })),
  ...throughWorkers.map((name) => ({ name, title: `${name} through workers`, more: ["--workers=2"] })),
];

for (const { name, title, more } of runs) {
  test(`script ${title}`, async (t) => {
    const script = parseScript(readFileSync(join(import.meta.dirname, name), "utf8"));
    const world = await startWorld({
      flags: [...script.flags, ...more],
      env: { [variableOf("upstreamClient.retryTime")]: "3s" },
    });
    atEnd(t, () => world.close());
    await runScript(script, rawHttpTarget(world.granary.url, { timeoutMs: 30_000 }), hooksOf(world));
  });
}
