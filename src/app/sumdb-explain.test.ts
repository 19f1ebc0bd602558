import assert from "node:assert/strict";
import { test } from "node:test";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { explainSumdb, parseEnvText } from "./sumdb-explain.ts";

const machine = { env: {}, platform: "linux", home: "/nowhere", readFile: () => Promise.resolve(undefined) };

test("what go env prints is understood on every system, and a go env file as go reads it", () => {
  const wanted = { GOPROXY: "https://a.test,direct", GOSUMDB: "off" };
  for (const text of [
    "GOPROXY='https://a.test,direct'\nGOSUMDB='off'\n",
    'GOPROXY="https://a.test,direct"\nGOSUMDB="off"\n',
    "GOPROXY=https://a.test,direct\nGOSUMDB=off\n",
    "set GOPROXY=https://a.test,direct\r\nset GOSUMDB=off\r\n",
    JSON.stringify({ ...wanted, GOMAXPROCS: 3 }),
  ])
    assert.deepEqual(parseEnvText(text), wanted, text);
  // One quoted value in a go env file is a mistake, and go takes the quotes for part of it.
  assert.equal(parseEnvText("GOPROXY='https://a.test'\nGOSUMDB=off\n")["GOPROXY"], "'https://a.test'");
});

test("what was not given has go's defaults, whatever this machine says; the last word wins", async () => {
  const env = ["GOSUMDB=direct", "GOSUMDB="];
  const { settings, origin, outcome } = await explainSumdb({ env, module: undefined }, machine);
  assert.deepEqual([origin, settings.GOSUMDB, outcome.kind], ["given", "sum.golang.org", "verified"]);
});

test("passwords are not printed, and powerless variables are named", async () => {
  const env = ["GOPROXY=https://me:secret@a.test|direct", "GONOSUMCHECK=1", "GOINSECURE=*"];
  const found = await explainSumdb({ env, module: "example.com/m@v1.0.0" }, machine);
  assert.ok(!JSON.stringify(found).includes("secret"));
  assert.deepEqual(found.ignored, ["GOINSECURE", "GONOSUMCHECK"]);
  assert.equal(found.module, "example.com/m");
});

test("what is no module is refused", async () => {
  for (const module of ["Not A Path", "example.com/m@latest", "example.com/m@v1"])
    await assert.rejects(explainSumdb({ env: ["GOSUMDB=off"], module }, machine), (error) =>
      isGranaryError(error, "GRANARY_BAD_FLAG"),
    );
});
