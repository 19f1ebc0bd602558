// What the go command and Granary do with a list of two upstreams A and B, cell by cell: each cell is what A and what B
// do with one file. Cells are modules (`example.com/info/404/200` is the cell 404 × 200 of `.info`), so that one go
// command meets a hundred cells at once.
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream } from "./stub-upstream.ts";
import type { Fault } from "./faults.ts";
import { makeModule } from "./modules.ts";
import type { ModuleFixture } from "./modules.ts";

export const outcomes = [
  "200",
  "404",
  "410",
  "403",
  "429",
  "500",
  "refused",
  "reset",
  "truncated",
  "silent",
  "html",
  "garbage",
] as const;
export type Outcome = (typeof outcomes)[number];

/** What each word of the table means. */
export const outcomeNotes: Readonly<Record<Outcome, string>> = {
  "200": "the right file",
  "404": "404 Not Found",
  "410": "410 Gone",
  "403": "403 Forbidden",
  "429": "429 Too Many Requests, without Retry-After",
  "500": "500 Internal Server Error",
  refused: "nobody listens on the port",
  reset: "accepts the request, then RST before any byte of an answer",
  truncated: "promises the whole length, ends after five bytes",
  silent: "accepts the request and never answers",
  html: "a sign-in page with status 200",
  garbage: "status 200, bytes that are not what was asked for",
};

export const operations = ["info", "mod", "zip", "list"] as const;
export type Operation = (typeof operations)[number];
export type Separator = "," | "|";

export type Cell = { readonly operation: Operation; readonly a: Outcome; readonly b: Outcome };

/** `.info` in full. The other operations with fewer B; a dead upstream fails at `.info`, before `.mod` and `.zip`. */
export const cells: readonly Cell[] = operations.flatMap((operation) =>
  outcomes.flatMap((a) =>
    outcomes
      .filter((b) => operation === "info" || b === "200" || b === "404" || b === "500")
      .map((b) => ({ operation, a, b }))
      .filter(() => a !== "refused" || operation === "info" || operation === "list"),
  ),
);

/**
 * For every day: the seven outcomes that matter most and `reset` (which Granary's silence is compared with) squared,
 * and every other outcome of A before a B that is well.
 */
export const sampledCells: readonly Cell[] = cells.filter(
  ({ operation, a, b }) => (operation === "info" && isCommon(a) && isCommon(b)) || b === "200",
);

function isCommon(outcome: Outcome): boolean {
  return ["200", "404", "410", "403", "500", "silent", "html", "reset"].includes(outcome);
}

/** `A`, `AB`: who was asked, in order, and again when asked again. */
export type Seen = { readonly asked: string; readonly result: "A" | "B" | "not found" | "error" | "hangs" };

export const moduleOf = ({ operation, a, b }: Cell): string => `example.com/${operation}/${a}/${b}`;

const fileOf: Readonly<Record<Operation, string>> = {
  info: "v1.0.0.info",
  mod: "v1.0.0.mod",
  zip: "v1.0.0.zip",
  list: "list",
};

export const pathOf = (cell: Cell): string => `/${moduleOf(cell)}/@v/${fileOf[cell.operation]}`;

const faults: Readonly<Record<Exclude<Outcome, "200" | "refused">, Fault>> = {
  "404": { kind: "status", status: 404 },
  "410": { kind: "status", status: 410 },
  "403": { kind: "status", status: 403 },
  "429": { kind: "status", status: 429 },
  "500": { kind: "status", status: 500 },
  reset: { kind: "reset" },
  truncated: { kind: "truncate", after: 5 },
  silent: { kind: "stall" },
  html: { kind: "html" },
  garbage: { kind: "bytes", body: "no such thing\n" },
};

/** Nobody listens there (tcpmux, compressnet), and no port is taken that another test might get. */
const deadUrl = { A: "http://127.0.0.1:1", B: "http://127.0.0.1:2" } as const;

type Side = "A" | "B";

/** A and B: two upstreams, each with a log of its own in which the order of both can be seen. */
export class FallbackWorld {
  readonly #stubs: Readonly<Record<Side, StubUpstream>>;
  readonly #log: { readonly side: Side; readonly path: string }[];

  private constructor(stubs: Readonly<Record<Side, StubUpstream>>, log: { side: Side; path: string }[]) {
    this.#stubs = stubs;
    this.#log = log;
  }

  static async start(): Promise<FallbackWorld> {
    const log: { side: Side; path: string }[] = [];
    const startSide = async (side: Side): Promise<StubUpstream> => {
      const onRequest = (path: string) => void log.push({ side, path });
      const stub = await startStubUpstream({ modules: modulesOf(side), onRequest, keepAlive: false });
      for (const operation of operations) armFaults(stub, operation, side);
      return stub;
    };
    return new FallbackWorld({ A: await startSide("A"), B: await startSide("B") }, log);
  }

  /** The list for cells in which A, or B, or both are dead. */
  list(separator: Separator, cell: Pick<Cell, "a" | "b">): string {
    const a = cell.a === "refused" ? deadUrl.A : this.#stubs.A.url;
    const b = cell.b === "refused" ? deadUrl.B : this.#stubs.B.url;
    return a + separator + b;
  }

  /** Who was asked for the cell's file, of those who can see it. */
  asked(cell: Cell): string {
    const path = pathOf(cell);
    return this.#log
      .filter((entry) => entry.path === path)
      .map(({ side }) => side)
      .join("");
  }

  get requests(): number {
    return this.#log.length;
  }

  forgetRequests(): void {
    this.#log.length = 0;
  }

  async close(): Promise<void> {
    await this.#stubs.A.close();
    await this.#stubs.B.close();
  }
}

function armFaults(stub: StubUpstream, operation: Operation, side: Side): void {
  const file = fileOf[operation].replaceAll(".", "\\.");
  for (const [outcome, fault] of Object.entries(faults)) {
    const cell = side === "A" ? `${outcome}/[^/]+` : `[^/]+/${outcome}`;
    stub.fault(new RegExp(`^/example\\.com/${operation}/${cell}/@v/${file}$`), fault);
  }
}

/** Cells by the upstreams that are dead in them: each group has a list of its own. */
export function byList<T extends Cell>(all: readonly T[]): T[][] {
  const groups = Map.groupBy(all, ({ a, b }) => `${a === "refused"} ${b === "refused"}`);
  return [...groups.values()];
}

// ---- what each side serves: the same modules, told apart by their bytes ----

const marks: Readonly<Record<Side, string>> = { A: "2024-01-01T01:01:01Z", B: "2024-02-02T02:02:02Z" };

/** The two sides' go.mod differ only where go.mod is what is asked for: a zip must carry the one that came before. */
function modulesOf(side: Side): ModuleFixture[] {
  return cells.flatMap((cell) => {
    const path = moduleOf(cell);
    const note = cell.operation === "mod" ? ` // ${marks[side]}` : "";
    const files = { "go.mod": `module ${path}${note}\n`, [`from-${side}.txt`]: `${marks[side]}\n` };
    const versions = cell.operation === "list" ? ["v1.0.0", side === "A" ? "v1.1.0" : "v1.2.0"] : ["v1.0.0"];
    return versions.map((version) => makeModule({ path, version, time: marks[side], files }));
  });
}

/** Whose bytes they are; undefined when neither A nor B serves such bytes when it is well. */
export function whose(bytes: Uint8Array): Side | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  if (text.includes(marks.A) || text.includes("from-A.txt") || text.includes("v1.1.0")) return "A";
  if (text.includes(marks.B) || text.includes("from-B.txt") || text.includes("v1.2.0")) return "B";
  return undefined;
}
