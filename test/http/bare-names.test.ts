// A link to the program is the command that it is named after.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";

const program = resolve(import.meta.dirname, "../../bin/granary.ts");

for (const [name, args, said] of [
  ["sumweb", ["-db", "nowhere"], /GRANARY_NOT_A_DATABASE/],
  ["granary-agent", ["--url", "ftp://x"], /--url does not take/],
  ["granary", ["--version"], /^\d+\.\d+\.\d+/],
] as const)
  test(`${name} ${args.join(" ")}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "granary-link-"));
    atEnd(t, () => rm(folder, { recursive: true, force: true }));
    const link = join(folder, name);
    await symlink(program, link);
    const env = { PATH: process.env["PATH"], HOME: folder, LANG: "en_US.UTF-8" };
    const output = await new Promise<string>((done) => {
      const flags = ["--disable-warning=ExperimentalWarning"];
      execFile(process.execPath, [...flags, link, ...args], { env, cwd: folder }, (_, stdout, stderr) =>
        done(stdout + stderr),
      );
    });
    assert.match(output, said);
  });
