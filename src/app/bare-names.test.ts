import assert from "node:assert/strict";
import { test } from "node:test";
import { withImpliedCommand } from "./bare-names.ts";

const cases = [
  ["/usr/local/bin/sumweb", ["-db", "./sumdb"], ["sumweb", "-db", "./sumdb"]],
  ["/opt/sumweb.mjs", [], ["sumweb"]],
  ["/opt/sumverify", ["go.sum"], ["sumverify", "go.sum"]],
  ["/opt/sumgopher", ["--help"], ["sumgopher", "--help"]],
  ["/opt/granary-agent", ["setup"], ["agent", "setup"]],
  ["/opt/sumdb", ["-db", "./sumdb", "-range", "m@v1"], ["sumdb", "preload", "-db", "./sumdb", "-range", "m@v1"]],
  ["/opt/sumdb", ["--db=./sumdb"], ["sumdb", "preload", "--db=./sumdb"]],
  ["/opt/sumdb", ["fsck"], ["sumdb", "fsck"]],
  ["/opt/sumdb", ["--help"], ["sumdb", "--help"]],
  ["/opt/granary.mjs", ["serve"], ["serve"]],
  ["/opt/granary", [], []],
  ["/opt/constructor", ["serve"], ["serve"]],
] as const;

for (const [script, args, want] of cases)
  test(`${script} ${args.join(" ")} is granary ${want.join(" ")}`, () => {
    assert.deepEqual(withImpliedCommand(script, args), want);
  });
