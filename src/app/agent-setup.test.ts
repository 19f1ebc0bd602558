import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../../test/support/at-end.ts";
import { checkAgent } from "./agent.ts";
import { formatUnit, setUpAgent } from "./agent-setup.ts";

async function newHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "granary-home-"));
  atEnd(t, () => rm(home, { recursive: true, force: true }));
  return home;
}

const machineOf = (home: string) => ({
  env: {},
  platform: "linux" as const,
  home,
  readFile: () => Promise.resolve(undefined),
});

const request = {
  listen: "127.0.0.1:3128",
  url: "https://proxy.corp.example/",
  cert: "me.pem",
  key: "me.key",
  ca: undefined,
  tokenFile: undefined,
  exposed: false,
};

const agent = checkAgent(request, "en");
const program = ["/usr/bin/node", "/opt/granary.mjs"];

test("printed, nothing is written; installed, the same text lies where systemd looks", async (t) => {
  const home = await newHome(t);
  const use = { machine: machineOf(home), program };
  const printed = await setUpAgent(agent, { ...use, isInstalled: false });
  assert.equal(printed.file, join(home, ".config/systemd/user/granary-agent.service"));
  assert.equal(printed.proxy, "http://127.0.0.1:3128");
  await assert.rejects(readFile(printed.file));
  await setUpAgent(agent, { ...use, isInstalled: true });
  assert.equal(await readFile(printed.file, "utf8"), printed.unit);
  const flags = `--cert ${resolve("me.pem")} --key ${resolve("me.key")}`;
  const start = `ExecStart=/usr/bin/node /opt/granary.mjs agent --listen 127.0.0.1:3128 --url https://proxy.corp.example`;
  assert.ok(printed.unit.includes(`${start} ${flags}\n`), printed.unit);
});

test("our own unit is replaced, one that somebody else wrote is not", async (t) => {
  const home = await newHome(t);
  const use = { machine: machineOf(home), program, isInstalled: true };
  const { file, unit } = await setUpAgent(agent, use);
  const moved = await setUpAgent(checkAgent({ ...request, listen: "127.0.0.1:4000" }, "en"), use);
  assert.notEqual(moved.unit, unit);
  assert.equal(await readFile(file, "utf8"), moved.unit);
  await writeFile(file, "[Unit]\nDescription=mine\n");
  await assert.rejects(setUpAgent(agent, use), { code: "GRANARY_FILE_EXISTS" });
  assert.equal(await readFile(file, "utf8"), "[Unit]\nDescription=mine\n");
});

test("words with spaces, quotes, percent and dollar signs reach the program as they are", async (t) => {
  const line = /^ExecStart=(.*)$/m.exec(formatUnit(["/bin/a", 'b "c" \\d', "50%", "$HOME", "plain"]))?.[1];
  assert.equal(line, String.raw`/bin/a "b \"c\" \\d" 50%% $$HOME plain`);
  const folder = await newHome(t);
  const file = join(folder, "granary-agent.service");
  await writeFile(file, formatUnit([process.execPath, 'a "b" \\c', "50%"]));
  try {
    execFileSync("systemd-analyze", ["--user", "verify", file], {
      stdio: "pipe",
      env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder },
    });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: Buffer };
    if (code === "ENOENT") t.diagnostic("LOUD: no systemd-analyze here, the unit was not checked by systemd");
    else assert.fail(stderr?.toString() ?? String(error));
  }
});
