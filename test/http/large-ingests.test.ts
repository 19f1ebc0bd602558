// Many large zips at once: what they take in memory does not grow with them. LONG=1: eight of 500 MB, in 256 MB of heap.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { platform } from "node:os";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { startGranary } from "../support/granary.ts";
import { startLargeUpstream } from "../support/large-upstream.ts";

const long = process.env["LONG"] === "1";
const [count, megabytes] = long ? [8, 499] : [2, 100];
/** The goal for the long run; the short one must not take more. */
const mostMiB = 450;

test(`${count} ingests of ${megabytes} MiB at a time stay below ${mostMiB} MiB of memory`, async (t) => {
  const upstream = await startLargeUpstream(count, megabytes);
  atEnd(t, () => upstream.close());
  const granary = await startGranary({
    upstream: upstream.url,
    sumdb: upstream.sumdb,
    env: { NODE_OPTIONS: "--max-old-space-size=256" },
  });
  atEnd(t, () => granary.stop());
  const begun = performance.now();
  await Promise.all(
    upstream.zips.map(async (path) => {
      const response = await fetch(granary.url + path);
      assert.equal(response.status, 200);
      const hash = createHash("sha256");
      let size = 0;
      for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        size += piece.length;
      }
      assert.equal(size, upstream.size);
      assert.equal(hash.digest("hex"), upstream.hashes.get(path), path);
    }),
  );
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (platform() !== "linux") {
    t.diagnostic(`${count} × ${megabytes} MiB in ${seconds} s; only Linux tells the most memory a process had`);
    return;
  }
  const status = await readFile(`/proc/${granary.pid}/status`, "utf8");
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  t.diagnostic(`${count} × ${megabytes} MiB in ${seconds} s, ${Math.round(peak)} MiB of memory at most`);
  assert.ok(peak <= mostMiB, `${peak} MiB`);
});
