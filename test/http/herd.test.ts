// A thousand clients ask for one cold version at the same moment: the upstream is asked once for each of its files.
import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { startWorld } from "../support/world.ts";

const clients = 1000;

test("a thousand clients, one cold version: exactly one upstream fetch of each file", async (t) => {
  // An upstream that is silent for long is asked again, and on a slow machine a thousand clients take long.
  const world = await startWorld({ env: { GRANARY_UPSTREAM_CLIENT_SILENCE: "60s" } });
  atEnd(t, () => world.close());
  const files = ["info", "mod", "zip"].map((ext) => `/example.com/hello/@v/v1.0.0.${ext}`);
  // Slow enough that all of them wait for the same job.
  for (const file of files) world.stub.fault(file, { kind: "delay", ms: 300 });
  const agent = new Agent({ maxSockets: clients });
  atEnd(t, () => agent.destroy());
  const asked = Array.from({ length: clients }, (_, n) => fetchHash(world.granary.url + (files[n % 3] ?? ""), agent));
  const answers = await Promise.all(asked);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(new Set(answers.map(({ etag }) => etag)).size, 3);
  for (const file of files) assert.equal(world.stub.requests(file), 1, file);
});

test("clients that go away do not kill the fetch the others wait for", async (t) => {
  const world = await startWorld({});
  atEnd(t, () => world.close());
  const file = "/example.com/hello/@v/v1.0.0.zip";
  world.stub.fault(file, { kind: "delay", ms: 500 });
  const agent = new Agent();
  atEnd(t, () => agent.destroy());
  const first = get(world.granary.url + file, { agent });
  first.on("error", () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = fetchHash(world.granary.url + file, agent);
  first.destroy();
  assert.equal((await second).status, 200);
  assert.equal(world.stub.requests(file), 1);
});

function fetchHash(url: string, agent: Agent): Promise<{ status: number; etag: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      response.on("error", reject);
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode ?? 0, etag: response.headers.etag ?? "" }));
    });
    request.on("error", reject);
  });
}
