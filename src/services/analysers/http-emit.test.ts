import assert from "node:assert/strict";
import { test } from "node:test";
import { sumdbName } from "#protocol/official.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { emitCommands } from "./http-emit.ts";

const id = checkModuleVersion("github.com/BurntSushi/toml", "v1.3.2");
const use = (GOPROXY: string, via?: string) => ({
  entries: parseProxyList(GOPROXY),
  settings: { GOPROXY, GOSUMDB: sumdbName, GONOSUMDB: "", GOPRIVATE: "", GOFLAGS: "" },
  go: "1.27.3",
  via,
  shell: "bash" as const,
});

test("the same requests for curl: escaped as go escapes, with go's name, and no secrets", () => {
  const lines = emitCommands("curl", id, use("https://u:secret@a.example/go,direct", "http://v:secret@b.example:3128"));
  const urls = lines.map((line) => line.split(" ").at(-1)?.replace("https://***@a.example/go", "").replaceAll("'", ""));
  const at = "/github.com/%21burnt%21sushi/toml/@v";
  assert.deepEqual(urls, [
    `${at}/list`,
    `${at}/v1.3.2.info`,
    `${at}/v1.3.2.mod`,
    `/sumdb/${sumdbName}/supported`,
    `/sumdb/${sumdbName}/lookup/github.com/%21burnt%21sushi/toml@v1.3.2`,
    `${at}/v1.3.2.zip`,
  ]);
  for (const line of lines) {
    assert.match(line, /^curl .*-A 'GoCommand\/1 \(\+https:\/\/go\.dev\/cmd\/go\)' /);
    assert.doesNotMatch(line, /secret/);
  }
});

test("wget; and no proxy, no commands", () => {
  assert.match(emitCommands("wget", id, use("a.example"))[1] ?? "", /^wget -S --max-redirect=9 -U .*\.info$/);
  assert.deepEqual(emitCommands("curl", id, use("direct")), []);
});
