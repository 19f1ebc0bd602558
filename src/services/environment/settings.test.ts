import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { goDefaultProxyList, sumdbName } from "#protocol/official.ts";
import { goEnvFileLocation } from "./env-location.ts";
import { settingsOf, valueOf } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

const gorootFile = {
  kind: "text",
  path: "/go/go.env",
  text: `# x\nGOPROXY=${goDefaultProxyList}\nGOSUMDB=${sumdbName}\n`,
} as const;

function machine(env: Record<string, string>, file?: string, go?: Surroundings["go"]): Surroundings {
  return {
    platform: "linux",
    process: env,
    userFile: file === undefined ? { kind: "off" } : { kind: "text", path: "/h/env", text: file },
    netrc: { kind: "off" },
    go,
  };
}

const go = (version: string): Surroundings["go"] => ({ version, goroot: "/go", file: gorootFile });

suite("settingsOf()", () => {
  test("the process comes first, an empty variable is none, then the file, then go.env", () => {
    const { all } = settingsOf(machine({ GOPROXY: "https://p", GOSUMDB: "" }, "GOPROXY=https://f\n", go("1.26.8")));
    assert.deepEqual(all.GOPROXY.place, { kind: "process", name: "GOPROXY" });
    assert.deepEqual(
      all.GOPROXY.shadowed.map(({ value, place }) => [value, place.kind]),
      [
        ["https://f", "user-file"],
        [goDefaultProxyList, "goroot-file"],
      ],
    );
    assert.deepEqual(all.GOSUMDB.place, { kind: "goroot-file", path: "/go/go.env", line: 3 });
  });

  test("an empty line of the file hides go.env from 1.21 on, and nothing before", () => {
    assert.equal(valueOf(settingsOf(machine({}, "GOPROXY=\n", go("1.26.8"))), "GOPROXY"), "");
    assert.equal(valueOf(settingsOf(machine({}, "GOPROXY=\n", go("1.19.13"))), "GOPROXY"), goDefaultProxyList);
  });

  test("GONOPROXY and GONOSUMDB follow GOPRIVATE until they are set themselves", () => {
    const { all } = settingsOf(machine({ GOPRIVATE: "corp.example", GONOSUMDB: "none" }));
    assert.deepEqual([all.GONOPROXY.value, all.GONOPROXY.place.kind], ["corp.example", "follows"]);
    assert.deepEqual([all.GONOSUMDB.value, all.GONOSUMDB.place.kind], ["none", "process"]);
  });

  test("lower-case names of the HTTP proxies count when the upper-case one is empty", () => {
    const { all } = settingsOf(machine({ HTTPS_PROXY: "", https_proxy: "http://p" }));
    assert.deepEqual(all.HTTPS_PROXY.place, { kind: "process", name: "https_proxy" });
  });

  const ages = [
    ["1.12", "GOPRIVATE", ""],
    ["1.12", "GOPROXY", "direct"],
    ["1.13", "GOPRIVATE", "x"],
    ["1.13", "GOINSECURE", ""],
    ["1.14", "GOINSECURE", "x"],
    ["1.20", "GOTOOLCHAIN", ""],
    ["1.21", "GOTOOLCHAIN", "x"],
    ["1.23", "GOAUTH", ""],
    ["1.24", "GOAUTH", "x"],
  ] as const;
  for (const [version, name, want] of ages)
    test(`Go ${version} takes ${name} for "${want}"`, () => {
      const env = name === "GOPROXY" ? {} : { [name]: "x" };
      assert.equal(valueOf(settingsOf(machine(env), version), name), want);
    });

  test("without a go nothing is claimed of it: the newest known is assumed, and said to be", () => {
    assert.deepEqual(settingsOf(machine({})).versionFrom, "assumed");
    assert.deepEqual(settingsOf(machine({}, undefined, go("1.24.9"))).versionFrom, "installed");
    assert.deepEqual(settingsOf(machine({}), "1.15").versionFrom, "asked");
  });
});

suite("goEnvFileLocation() is os.UserConfigDir", () => {
  const cases = [
    [{ HOME: "/h" }, "linux", "/h/.config/go/env"],
    [{ HOME: "/h", XDG_CONFIG_HOME: "/x" }, "linux", "/x/go/env"],
    [{ HOME: "/h", XDG_CONFIG_HOME: "x" }, "linux", undefined],
    [{}, "linux", undefined],
    [{ HOME: "/h" }, "darwin", "/h/Library/Application Support/go/env"],
    [{ AppData: "C:\\A" }, "win32", "C:\\A\\go\\env"],
    [{ HOME: "/h" }, "win32", undefined],
    [{ HOME: "/h", GOENV: "/e" }, "linux", "/e"],
    [{ HOME: "/h", GOENV: "off" }, "linux", undefined],
  ] as const;
  for (const [env, platform, want] of cases)
    test(`${platform} ${JSON.stringify(env)}`, () => {
      const found = goEnvFileLocation(env, platform);
      assert.equal(found.kind === "file" ? found.path : undefined, want);
    });
});
