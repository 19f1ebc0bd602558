// The table as the real go command draws it.
import { readFile } from "node:fs/promises";
import { byList, moduleOf, whose } from "./fallback-cells.ts";
import type { Cell, FallbackWorld, Operation, Seen, Separator } from "./fallback-cells.ts";
import { newGoClient } from "./go.ts";
import type { GoTool } from "./go.ts";

/** What was seen, by cell. */
export type Table = ReadonlyMap<Cell, Seen>;

/** The go command waits for ever; when no upstream was asked anything for this long, what it waits for is silence. */
const leastQuietMs = 2_500;
const mostQuietMs = 20_000;
/** A round ends by itself or in silence; this only bounds a test that is itself broken. */
const roundMs = 120_000;

/** Asks `go` about all cells. Throws when it behaves in a way that no rule of this table explains. */
export async function askGo(
  tool: GoTool,
  world: FallbackWorld,
  plan: { readonly separator: Separator; readonly cells: readonly Cell[] },
): Promise<Table> {
  const table = new Map<Cell, Seen>();
  const operations = Map.groupBy(plan.cells, ({ operation }) => operation);
  for (const [operation, cells] of operations)
    for (const group of byList(cells)) {
      // Cells that may hang and cells that cannot: a killed go command has told nothing of the others.
      const { yes = [], no = [] } = Object.groupBy(group, ({ a, b }) =>
        a === "silent" || b === "silent" ? "yes" : "no",
      );
      for (const some of [yes, no]) {
        const list = some[0] === undefined ? "" : world.list(plan.separator, some[0]);
        await rounds({ tool, world, operation, list, table }, some);
      }
    }
  return table;
}

type Asking = {
  readonly tool: GoTool;
  readonly world: FallbackWorld;
  readonly operation: Operation;
  readonly list: string;
  readonly table: Map<Cell, Seen>;
};

/** Asks until every cell is known: after a run that hung, the cells that made it hang are known, the others asked again. */
async function rounds(asking: Asking, cells: readonly Cell[]): Promise<void> {
  let left = [...cells];
  let quietMs = leastQuietMs;
  while (left.length > 0) {
    const known = await round({ ...asking, quietMs }, left);
    // A machine that is busy with other things looks quiet: be more patient before calling it a riddle.
    if (known.size === 0) quietMs *= 2;
    if (quietMs > mostQuietMs) throw new Error(`go ${asking.operation}: it hangs, and no silent upstream was asked`);
    for (const [cell, seen] of known) asking.table.set(cell, seen);
    left = left.filter((cell) => !known.has(cell));
  }
}

async function round(asking: Asking & { readonly quietMs: number }, cells: readonly Cell[]): Promise<Map<Cell, Seen>> {
  const { tool, world, operation, list, quietMs } = asking;
  const env = { GOPROXY: list, GOMAXPROCS: String(Math.max(4, cells.length)) };
  const client = await newGoClient(tool, env);
  world.forgetRequests();
  const silence = new AbortController();
  const watch = watchSilence(world, silence, quietMs);
  try {
    const { output, stdout } = await client.run([...commands[operation], ...cells.map(targetOf)], {
      signal: silence.signal,
      timeoutMs: roundMs,
    });
    if (silence.signal.aborted) return hung(world, cells);
    const reports = parseReports(stdout);
    const seen = new Map<Cell, Seen>();
    for (const cell of cells) {
      const report = reports.get(moduleOf(cell));
      if (report === undefined) throw new Error(`go said nothing of ${moduleOf(cell)}\n${output}`);
      seen.set(cell, await judge(cell, report, world));
    }
    return seen;
  } finally {
    clearInterval(watch);
    await client.remove();
  }
}

function hung(world: FallbackWorld, cells: readonly Cell[]): Map<Cell, Seen> {
  const found = new Map<Cell, Seen>();
  for (const cell of cells) {
    const asked = askedByGo(world, cell, "");
    const last = asked.at(-1) === "A" ? cell.a : asked.at(-1) === "B" ? cell.b : "200";
    if (last === "silent") found.set(cell, { asked, result: "hangs" });
  }
  return found;
}

function watchSilence(world: FallbackWorld, silence: AbortController, quietMs: number): NodeJS.Timeout {
  let seen = 0;
  let since = Date.now();
  return setInterval(() => {
    if (world.requests !== seen || seen === 0) {
      seen = world.requests;
      since = Date.now();
    } else if (Date.now() - since > quietMs) silence.abort();
  }, 100);
}

// ---- one command per operation; each asks for the cell's file once per upstream ----

const commands: Readonly<Record<Operation, readonly string[]>> = {
  info: ["mod", "download", "-json"],
  mod: ["mod", "download", "-json"],
  zip: ["mod", "download", "-json"],
  list: ["list", "-m", "-e", "-json", "-versions"],
};

const targetOf = (cell: Cell): string => (cell.operation === "list" ? moduleOf(cell) : `${moduleOf(cell)}@v1.0.0`);

/** `go mod download -json` writes Error as text, `go list -m -e -json` as an object. */
type Report = {
  readonly Path: string;
  readonly Error?: string | { readonly Err: string };
  readonly Info?: string;
  readonly GoMod?: string;
  readonly Zip?: string;
  readonly Versions?: readonly string[];
};

/** The JSON objects go writes one after another. */
function parseReports(stdout: string): Map<string, Report> {
  const objects = stdout.split(/^(?=\{$)/m).filter((text) => text.trim() !== "");
  return new Map(objects.map((text) => JSON.parse(text) as Report).map((report) => [report.Path, report]));
}

async function judge(cell: Cell, report: Report, world: FallbackWorld): Promise<Seen> {
  const error = typeof report.Error === "object" ? report.Error.Err : report.Error;
  const asked = askedByGo(world, cell, error ?? "");
  if (error !== undefined) return { asked, result: /\b(404 Not Found|410 Gone)\b/.test(error) ? "not found" : "error" };
  const from = asked.at(-1);
  if (from !== "A" && from !== "B") throw new Error(`${moduleOf(cell)} came from nobody`);
  const mark = whose(await answerOf(cell, report));
  if ((from === "A" ? cell.a : cell.b) === "200" && mark !== from)
    throw new Error(`${moduleOf(cell)}: bytes of ${mark}`);
  return { asked, result: from };
}

async function answerOf(cell: Cell, report: Report): Promise<Uint8Array> {
  if (cell.operation === "list") return Buffer.from((report.Versions ?? []).join("\n"));
  const file = { info: report.Info, mod: report.GoMod, zip: report.Zip }[cell.operation];
  if (file === undefined) throw new Error(`${moduleOf(cell)}: neither an error nor a file`);
  return await readFile(file);
}

/**
 * A dead upstream keeps no log. A is asked first, always. That B was dialled shows in the error: no error of A's
 * outranks it (TryProxies reports the last of those that are not "not found").
 */
function askedByGo(world: FallbackWorld, cell: Cell, error: string): string {
  const seen = world.asked(cell);
  const a = cell.a === "refused" ? "A" : "";
  const b = cell.b === "refused" && error.includes("127.0.0.1:2") ? "B" : "";
  return a + seen + b;
}
