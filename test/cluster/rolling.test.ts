// N17: nodes are restarted one after the other under load, and no request fails. Once through nginx, for what users have; once
// without it, for what a node does to connections that are in use: a client that goes to the other node when a connection
// is refused, and repeats a request only as go does, when a kept connection is closed before the first byte of its answer.
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { makeModule } from "../support/modules.ts";
import { startFront, startNodes } from "../support/nodes.ts";
import type { Node } from "../support/nodes.ts";
import { missingNginx } from "../support/servers/nginx.ts";

const rounds = process.env["LONG"] === undefined ? 5 : 50;
const clients = 12;
const modules = Array.from({ length: 8 }, (_, at) => makeModule({ path: `example.com/m${at}`, version: "v1.0.0" }));
const targets = modules.flatMap(({ path }) => ["info", "mod", "zip"].map((file) => `/${path}/@v/v1.0.0.${file}`));
/** What goes on beside the load: the versions are there, nothing is fetched. */
const quiet = { GRANARY_PREFETCH: "off" };

suite("a rolling restart under load", { timeout: rounds * 30_000 }, () => {
  test(`through nginx: ${rounds * 2} restarts`, { skip: missingNginx() ?? false }, async (t) => {
    const { nodes } = await startNodes(t, { count: 2, modules, env: quiet });
    const front = await startFront(t, nodes, { cache: undefined });
    const load = startLoad(t, () => [front.port]);
    await restartAll(nodes, load);
    const { answered, failures } = await load.end();
    t.diagnostic(`${rounds * 2} restarts, ${answered} requests, ${failures.length} failed`);
    assert.deepEqual(failures, []);
    assert.ok(answered > rounds * 200, `${answered} requests`);
  });

  test(`without nginx: ${rounds * 2} restarts`, async (t) => {
    const { nodes } = await startNodes(t, { count: 2, modules, env: quiet });
    const load = startLoad(t, () => nodes.map(({ port }) => port));
    await restartAll(nodes, load);
    const { answered, failures } = await load.end();
    const { count } = resets;
    t.diagnostic(`${rounds * 2} restarts, ${answered} requests, ${failures.length} failed, ${count} asked again`);
    assert.deepEqual(failures, []);
    assert.ok(answered > rounds * 200, `${answered} requests`);
    assert.ok(count <= clients, `${count} connections closed under a request`);
  });
});

async function restartAll(nodes: readonly Node[], load: Load): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const node of nodes) {
      const code = await node.stop();
      assert.equal(code, 0, node.running().stderr());
      await node.start();
      if (load.failures.length > 0) return;
      // As an orchestrator waits before it takes the next one.
      await passed(200);
    }
}

/**
 * Kept connections that were closed just as a request went out. A client that is held up for longer than the node leaves
 * such connections open meets one now and then, and go asks again; a node that closed them under requests made many.
 */
const resets = { count: 0 };

type Load = {
  readonly failures: readonly string[];
  end(): Promise<{ readonly answered: number; readonly failures: readonly string[] }>;
};

/** Clients with a kept connection each, that ask all the time. A refused connection is no request: they go to the next port. */
function startLoad(t: TestContext, ports: () => readonly number[]): Load {
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const agents = Array.from({ length: clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  atEnd(t, () => {
    isOver = true;
    for (const agent of agents) agent.destroy();
  });
  const running = Promise.all(
    agents.map(async (agent, client) => {
      for (let at = client; !isOver; at++) {
        const list = ports();
        const target = targets[at % targets.length] ?? "";
        const outcome = await askOne(agent, { list, first: client % list.length, target });
        if (outcome === "answered") answered++;
        else failures.push(`${target}: ${outcome}`);
        // Some are busy, some pause as a build does while it compiles.
        await passed(client % 3 === 0 ? 40 : 2);
      }
    }),
  );
  return {
    failures,
    end: async () => {
      isOver = true;
      await running;
      return { answered, failures };
    },
  };
}

async function askOne(
  agent: Agent,
  { list, first, target }: { readonly list: readonly number[]; readonly first: number; readonly target: string },
): Promise<string> {
  let outcome = "nobody there";
  for (let step = 0; step < list.length; step++) {
    outcome = await ask(agent, list[(first + step) % list.length] ?? 0, target);
    if (outcome !== "refused") return outcome;
  }
  return outcome;
}

function ask(agent: Agent, port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    let isAnswered = false;
    const asked = request({ agent, host: "127.0.0.1", port, path }, (response) => {
      isAnswered = true;
      let bytes = 0;
      response.on("data", (chunk: Buffer) => (bytes += chunk.length));
      response.once("error", (error) => resolve(`broken: ${error.message}`));
      response.once("end", () => {
        const isWhole = bytes === Number(response.headers["content-length"]);
        resolve(response.statusCode === 200 && isWhole ? "answered" : `${response.statusCode}, ${bytes} bytes`);
      });
    });
    asked.once("error", (error: NodeJS.ErrnoException) => {
      const isClosedUnderUs = asked.reusedSocket && error.code === "ECONNRESET" && !isAnswered;
      if (isClosedUnderUs) resets.count++;
      resolve(error.code === "ECONNREFUSED" || isClosedUnderUs ? "refused" : `${error.code ?? ""} ${error.message}`);
    });
    asked.end();
  });
}
