// docs/fallback-table.md: the go command's table, as it was measured, and where Granary differs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cells, operations, outcomeNotes, outcomes } from "./fallback-cells.ts";
import type { Operation, Outcome, Seen, Separator } from "./fallback-cells.ts";
import { differences } from "./fallback-granary.ts";
import type { Table } from "./fallback-go.ts";

export const separators: readonly Separator[] = [",", "|"];
export type Tables = Readonly<Record<Separator, Table>>;

const titles: Readonly<Record<Operation, string>> = {
  info: "`.info`",
  mod: "`.mod`, when `.info` came from A",
  zip: "`.zip`, when `.info` and `.mod` came from A",
  list: "`list`",
};

/** The whole page. `tables` must hold every cell. */
export function formatPage(tables: Tables, goVersion: string): string {
  const parts = [
    "# What happens after each failure",
    "<!-- Written by `npm run fallback-table -- --write` from a run of the go command. -->",
    `A list has two upstreams, A and B. Rows say what A does, columns what B does with the same file; a cell says who was asked and how it ended: \`A: A\` is A's file, \`AB: B\` is B's after A was asked. Measured with go${goVersion} over plain HTTP on loopback, \`GOSUMDB=off\`; \`hangs\` was ended by us after some seconds of silence.`,
    "Granary with `--mode go` does the same in every cell, but for the differences at the end; `test/go/fallback-table.test.ts` compares both at every run.",
    [
      "| word | what the upstream does |",
      "| --- | --- |",
      ...outcomes.map((one) => `| ${one} | ${outcomeNotes[one]} |`),
    ].join("\n"),
  ];
  for (const operation of operations)
    for (const separator of separators)
      parts.push(`## ${titles[operation]}, \`A${separator}B\``, formatMatrix(tables[separator], operation));
  parts.push(
    "## Where Granary differs",
    "Granary does in these cells what the go command does when A or B fails in the other way.",
    [
      "| outcome | of | treated like | why |",
      "| --- | --- | --- | --- |",
      ...differences.map(
        ({ outcome, operations: which, like, reason }) => `| ${outcome} | ${which.join(", ")} | ${like} | ${reason} |`,
      ),
    ].join("\n"),
    "A connection that died without an answer is tried a second time at once, one that could not be made up to four times, before the upstream counts as failed.",
  );
  return `${parts.join("\n\n")}\n`;
}

function formatMatrix(table: Table, operation: Operation): string {
  const mine = cells.filter((cell) => cell.operation === operation);
  const columns = outcomes.filter((b) => mine.some((cell) => cell.b === b));
  const rows = outcomes.filter((a) => mine.some((cell) => cell.a === a));
  const line = (a: Outcome): string => {
    const values = columns.map((b) => formatSeen(table.get(mine.find((cell) => cell.a === a && cell.b === b)!)));
    return `| **${a}** | ${values.join(" | ")} |`;
  };
  const header = `| A \\ B | ${columns.join(" | ")} |`;
  return [header, `| --- |${" --- |".repeat(columns.length)}`, ...rows.map(line)].join("\n");
}

function formatSeen(seen: Seen | undefined): string {
  return seen === undefined ? "?" : `${seen.asked}: ${seen.result}`;
}

/** The cells of the committed page: `.info 404 , 200` is `AB: B`. */
export function readPage(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const page = readFileSync(join(import.meta.dirname, "../../docs/fallback-table.md"), "utf8");
  for (const section of page.split(/^## /m)) {
    const [, operation = "", separator = ""] = /^`\.?(info|mod|zip|list)`.*`A([,|])B`$/m.exec(section) ?? [];
    if (operation === "") continue;
    const [header = [], , ...rows] = section
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .map((line) => line.slice(2, -2).split("|"))
      .map((columns) => columns.map((column) => column.trim()));
    for (const [a = "", ...values] of rows)
      for (const [at, value] of values.entries())
        found.set(`.${operation} ${a.replaceAll("*", "")} ${separator} ${header[at + 1]}`, value);
  }
  return found;
}
