// The table as Granary in mode `go` draws it, and where it may differ from the go command's.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byList, pathOf, whose } from "./fallback-cells.ts";
import type { Cell, FallbackWorld, Operation, Outcome, Seen, Separator } from "./fallback-cells.ts";
import type { Table } from "./fallback-go.ts";
import { startGranary } from "./granary.ts";

export type Difference = {
  readonly outcome: Outcome;
  readonly operations: readonly Operation[];
  /** Granary does here what the go command does when this happens instead. */
  readonly like: Outcome;
  readonly reason: string;
};

/** Where Granary is not the go command, and why. Everywhere else the tables must be equal. */
export const differences: readonly Difference[] = [
  {
    outcome: "silent",
    operations: ["info", "mod", "zip", "list"],
    like: "reset",
    reason: "the go command has no timeout; Granary gives up and treats silence as a broken connection",
  },
  {
    outcome: "html",
    operations: ["mod", "zip", "list"],
    like: "500",
    reason: "a sign-in page is no file of a module; the go command takes it for a go.mod, a zip or an empty list",
  },
  {
    outcome: "garbage",
    operations: ["mod", "zip"],
    like: "500",
    reason:
      "Granary reads a go.mod and a zip before it accepts them; the go command takes them, and fails later or not at all",
  },
];

/** How often Granary may ask one upstream for the file: once, and once more when the connection died. */
export const maxAsked: Readonly<Partial<Record<Outcome, number>>> = { reset: 2, truncated: 2, refused: 4 };

/** What the go command's table says Granary must do in this cell. */
export function expected(cell: Cell, separator: Separator, go: Table): Seen {
  const like = (outcome: Outcome): Outcome =>
    differences.find((one) => one.outcome === outcome && one.operations.includes(cell.operation))?.like ?? outcome;
  const [a, b] = [like(cell.a), like(cell.b)];
  for (const [other, seen] of go) if (other.operation === cell.operation && other.a === a && other.b === b) return seen;
  throw new Error(`the go command's table has no ${cell.operation} ${a} ${separator} ${b}`);
}

/** Longer than a busy machine needs for an answer of one line over loopback. */
const silenceMs = 4_000;
/** Most of a run is waiting for silence; the server's own default would do it in turns. */
const width = 64;

/** Asks Granary about all cells, each in a fresh store. */
export async function askGranary(
  world: FallbackWorld,
  plan: { readonly separator: Separator; readonly cells: readonly Cell[] },
): Promise<Table> {
  const table = new Map<Cell, Seen>();
  const folder = await mkdtemp(join(tmpdir(), "granary-fallback-"));
  try {
    const config = join(folder, "granary.yaml");
    await writeFile(config, `limits:\n  ingests: ${width}\nupstreamClient:\n  responseHeaderTimeout: ${silenceMs}ms\n`);
    for (const group of byList(plan.cells)) {
      const upstream = group[0] === undefined ? "" : world.list(plan.separator, group[0]);
      const granary = await startGranary({ upstream, flags: ["--mode=go", `--config=${config}`] });
      try {
        world.forgetRequests();
        // One at a time where the counters must say whom nobody can watch.
        const isDead = group.some(({ a, b }) => a === "refused" || b === "refused");
        await eachOf(group, isDead ? 1 : width, async (cell) => {
          table.set(cell, await ask(granary.url, world, cell));
        });
      } finally {
        await granary.stop();
      }
    }
    return table;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(url: string, world: FallbackWorld, cell: Cell): Promise<Seen> {
  const before = await refusals(url, cell);
  const response = await fetch(url + pathOf(cell));
  const body = new Uint8Array(await response.arrayBuffer());
  const after = await refusals(url, cell);
  const asked = "A".repeat(after.A - before.A) + world.asked(cell) + "B".repeat(after.B - before.B);
  if (response.status === 404 || response.status === 410) return { asked, result: "not found" };
  if (response.status !== 200) return { asked, result: "error" };
  return { asked, result: whose(body) ?? (asked.at(-1) === "A" ? "A" : "B") };
}

/** Dials of dead upstreams so far, by the server's own counters; 0 when none is dead. */
async function refusals(url: string, { a, b }: Cell): Promise<{ readonly A: number; readonly B: number }> {
  if (a !== "refused" && b !== "refused") return { A: 0, B: 0 };
  const metrics = await (await fetch(`${url}/-/metrics`)).text();
  const count = (port: number): number => {
    const counted = /^granary_upstream_requests_total\{(.*)\} (\d+)$/gm;
    let total = 0;
    for (const [, labels = "", value] of metrics.matchAll(counted))
      if (labels.includes(`"127.0.0.1:${port}"`) && labels.includes('"refused"')) total += Number(value);
    return total;
  };
  return { A: count(1), B: count(2) };
}

async function eachOf<T>(items: readonly T[], at: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: at }, worker));
}

/** What is wrong with a cell: who was asked in which order, and what came of it. Undefined when it is as it must be. */
export function wrong(want: Seen, got: Seen | undefined): string | undefined {
  if (got === undefined) return "was not asked about";
  const order = got.asked.replace(/(.)\1+/g, "$1");
  if (got.result === want.result && order === want.asked) return undefined;
  return `${want.asked} ${want.result} is right, ${got.asked} ${got.result} happened`;
}

/** Upstreams that were asked for the file more often than they may be. */
export function tooOften(cell: Cell, got: Seen | undefined): readonly string[] {
  const most = { A: maxAsked[cell.a] ?? 1, B: maxAsked[cell.b] ?? 1 };
  return (["A", "B"] as const).filter((side) => (got?.asked.split(side).length ?? 1) - 1 > most[side]);
}
