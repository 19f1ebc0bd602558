// test/fixtures/evil-databases.txt: what each go command does in each mode, directly and through Granary.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { evilModes } from "./evil-modes.ts";
import type { Outcome, Seen, Way } from "./evil-runs.ts";
import { machineGo } from "./go.ts";
import type { GoTool } from "./go.ts";
import { obtainGo } from "./toolchains.ts";

/** The columns: the oldest one first that is still met, the last one before the holes of 2026 were closed, newer ones. */
export const evilVersions = ["1.19.13", "1.21.13", "1.24.9", "1.26.8", "1.27.3"] as const;

/** By column: a version of go that asks directly, `granary`, `mirror`. */
export type EvilRow = Readonly<Record<string, Outcome>>;

export const evilTableFile = join(import.meta.dirname, "../fixtures/evil-databases.txt");
const columns = [...evilVersions, "granary", "mirror"];
const outcomes: readonly string[] = ["genuine", "fooled", "refuses", "hangs"] satisfies Outcome[];

const columnOf = ({ way, version }: { readonly way: Way; readonly version: string }): string =>
  way === "direct" ? version : way;

/** What the table says of a go command that comes this way. */
export function written(row: EvilRow | undefined, seen: { readonly way: Way; readonly version: string }): string {
  return row?.[columnOf(seen)] ?? "nothing";
}

/** All rows by mode, in the modes' order. Throws when the file is not the whole table. */
export function readEvilTable(): ReadonlyMap<string, EvilRow> {
  const lines = readFileSync(evilTableFile, "utf8").split("\n");
  const [header = "", ...rows] = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (words(header).slice(1).join(" ") !== columns.join(" ")) throw new Error(`evil-databases.txt: ${header}`);
  const table = new Map(rows.map(parseRow));
  const [wanted, found] = [evilModes.map(({ name }) => name).join(" "), [...table.keys()].join(" ")];
  if (wanted !== found) throw new Error(`evil-databases.txt has the modes ${found}, not ${wanted}`);
  return table;
}

function parseRow(line: string): readonly [string, EvilRow] {
  const [name = "", ...values] = words(line);
  const bad = values.find((value) => !outcomes.includes(value));
  if (bad !== undefined || values.length !== columns.length) throw new Error(`evil-databases.txt: ${line}`);
  return [name, Object.fromEntries(columns.map((column, at) => [column, values[at] as Outcome]))];
}

const words = (line: string): string[] => line.split(" ").filter((word) => word !== "");

/** One line of the table. Throws when Granary did not do the same for each go command. */
export function formatEvilRow(mode: string, seen: readonly Seen[]): string {
  const values = columns.map((column) => {
    const [outcome, other] = new Set(seen.filter((one) => columnOf(one) === column).map((one) => one.outcome));
    if (outcome === undefined || other !== undefined) throw new Error(`${mode}, ${column}: ${outcome} and ${other}`);
    return outcome;
  });
  return pad([mode, ...values]);
}

export const formatEvilHeader = (): string => pad(["mode", ...columns]);

const pad = ([name = "", ...values]: readonly string[]): string =>
  [name.padEnd(30), ...values.map((value) => value.padEnd(8))].join(" ").trimEnd();

/** The go commands of some columns, and why others are not here. */
export async function evilTools(versions: readonly string[]): Promise<{ tools: GoTool[]; missing: string[] }> {
  const found = await Promise.all(versions.map((version) => obtainGo(version)));
  return {
    tools: found.filter((one) => typeof one !== "string"),
    missing: found.filter((one) => typeof one === "string"),
  };
}

/** For every day: the oldest go and the machine's own. */
export async function everydayVersions(): Promise<string[]> {
  const own = (await machineGo())?.version;
  return evilVersions.filter((version) => version === evilVersions[0] || version === own);
}
