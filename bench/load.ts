// Load for a while: wrk when it is on PATH, else the bench's own generator.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hammer } from "./client.ts";
import type { LoadResult } from "./client.ts";
import { newFolder, onPath, runToEnd } from "./children.ts";

export type Load = {
  readonly base: string;
  /** Request targets, asked in turn. */
  readonly targets: readonly string[];
  readonly connections: number;
  readonly threads: number;
  readonly seconds: number;
  /** The status every answer must have. */
  readonly status: number;
};

/** Runs the load; the name of the generator is in `generator`. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const wrk = onPath("wrk");
  return wrk === undefined ? runOwn(load) : runWrk(wrk, load);
}

export const generator = onPath("wrk") === undefined ? "the bench's own (bench/client.ts)" : "wrk";

async function runOwn(load: Load): Promise<LoadResult> {
  const until = Date.now() + load.seconds * 1000;
  let at = 0;
  return hammer({
    base: load.base,
    connections: load.connections,
    next: () => (Date.now() < until ? load.targets[at++ % load.targets.length] : undefined),
    isExpected: (status) => status === load.status,
  });
}

let scripts: Promise<string> | undefined;
let lists = 0;

async function runWrk(wrk: string, load: Load): Promise<LoadResult> {
  const folder = await (scripts ??= newFolder("wrk"));
  const list = join(folder, `targets-${lists++}`);
  const script = `${list}.lua`;
  await writeFile(list, `${load.targets.join("\n")}\n`);
  await writeFile(script, luaScript(list, load.status));
  const { connections, threads, seconds } = load;
  const args = [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, "--timeout=20s", "-s", script, load.base];
  const said = await runToEnd({ command: wrk, args });
  const [, numbers = ""] = /^RESULT (.+)$/m.exec(said) ?? [];
  if (numbers === "") throw new Error(`wrk said nothing useful\n${said}`);
  const [requests = 0, micros = 1, bytes = 0, p50 = 0, p99 = 0, errors = 0] = numbers.split(" ").map(Number);
  return { requests, seconds: micros / 1e6, bytes, p50Ms: p50 / 1000, p99Ms: p99 / 1000, errors };
}

/** Requests are made once; each thread begins elsewhere in the list. A status check only where 200 is not expected. */
function luaScript(list: string, status: number): string {
  return `
local threads = 0
local bad = 0
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end
function init()
  requests = {}
  for line in io.lines(${JSON.stringify(list)}) do requests[#requests + 1] = wrk.format("GET", line) end
  at = first * math.floor(#requests / 2)
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.timeout${status < 400 ? " + e.status" : ""}
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), failed))
end
`;
}
