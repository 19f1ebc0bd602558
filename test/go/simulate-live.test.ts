// Live: a real module through a real proxy, proven against the public database. GRANARY_UPSTREAM names the proxy; without
// it the test is skipped loudly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sumdbName } from "#protocol/official.ts";
import { skipLoudly } from "../support/go.ts";
import { runGranary } from "../support/granary.ts";

test("a real module is proven", async (t) => {
  const list = process.env["GRANARY_UPSTREAM"] ?? "";
  if (list === "") {
    skipLoudly(t, "GRANARY_UPSTREAM names no proxy");
    return;
  }
  const names = ["SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];
  const network = Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  const env = { ...network, GOSUMDB: sumdbName, GOPRIVATE: "", GONOPROXY: "", GONOSUMDB: "" };
  const args = ["simulate", "rsc.io/quote@v1.5.2", "--proxy", list, "--go", "1.26", "--json"];
  const { code, stdout, stderr } = await runGranary(args, env, { live: true });
  assert.equal(code, 0, stderr + stdout);
  const seen = JSON.parse(stdout) as { outcome: string; zip: { h1: string } };
  assert.equal(seen.outcome, "proven");
  assert.equal(seen.zip.h1, "h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=");
});
