// Commands that our own texts tell people to run are there, with the flags that they are told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorTraits } from "#services/analysers/error-traits.ts";
import { areas } from "#services/findings/catalogue.ts";
import type { Area } from "#services/findings/finding.ts";
import type { CommandSpec } from "./command.ts";
import { commands } from "./commands.ts";

const texts = [
  ...Object.values(errorTraits).flatMap(({ checks }) => checks),
  ...Object.values(areas).flatMap((area: Area) =>
    Object.values(area).flatMap(({ text }) =>
      [text.en, text["zh-CN"]].flatMap(({ why, advice = "" }) =>
        [...`${why} ${advice}`.matchAll(/`(granary [^`]+)`/g)].map(([, line = ""]) => line),
      ),
    ),
  ),
];

/** What is wrong with `granary dns compare {host} --port 0`; undefined for nothing. */
function problemOf(line: string): string | undefined {
  let level: readonly CommandSpec[] = commands;
  let command: CommandSpec | undefined;
  const words = line.split(/\s+/).slice(1);
  for (;;) {
    const next = level.find(({ name }) => name === words[0]);
    if (next === undefined) break;
    command = next;
    level = next.commands ?? [];
    words.shift();
  }
  if (command === undefined) return "no such command";
  if (command.run === undefined && words.length > 0) return `no such command below ${command.name}`;
  const flags = ["--help", "--lang", ...(command.flags ?? []).map(({ flag }) => /--[\w-]+/.exec(flag)?.[0])];
  const unknown = words.filter((word) => word.startsWith("--")).find((word) => !flags.includes(word.split("=")[0]));
  return unknown === undefined ? undefined : `${command.name} has no ${unknown}`;
}

for (const line of new Set(texts.filter((text) => text.startsWith("granary "))))
  test(line, () => assert.equal(problemOf(line), undefined));

test("a line that names nothing is told", () => {
  assert.equal(problemOf("granary nonsense"), "no such command");
  assert.equal(problemOf("granary doctor --nonsense"), "doctor has no --nonsense");
});
