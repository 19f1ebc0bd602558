// Conformance: version lists, @latest, and the 404s that `go get` lives on while it looks for a package's module.
import { describe, expect, mediaType, need } from "./conformance-lab.ts";
import type { ConformanceCase, Lab } from "./conformance-lab.ts";
import { fileTarget, latestTarget, listTarget, unknownModule } from "./conformance-paths.ts";
import { highestOf, isCanonicalFor, isPseudo, parseInfoText } from "./conformance-rules.ts";

const protocolSpec = "go.dev/ref/mod#goproxy-protocol";
const repoSpec = "cmd/go modfetch proxy.go Versions";
const probeSpec = "cmd/go modload query.go QueryPattern";

export const listCases: readonly ConformanceCase[] = [
  {
    id: "LIST-STATUS",
    severity: "must",
    en: "list of a known module is answered with 200",
    zh: "已知模块的 list 返回 200",
    spec: protocolSpec,
    check: (lab) => lab.ok(listTarget(lab.fixtures.module.path)),
  },
  {
    id: "LIST-TYPE",
    severity: "should",
    en: "list is text/plain",
    zh: "list 的类型是 text/plain",
    spec: protocolSpec,
    check: async (lab) => {
      const found = mediaType(await lab.ok(listTarget(lab.fixtures.module.path)));
      expect(found === "text/plain", `Content-Type is ${found}`);
    },
  },
  {
    id: "LIST-COMPLETE",
    severity: "must",
    en: "list names the known version",
    zh: "list 包含已知版本",
    spec: protocolSpec,
    check: async (lab) => {
      expect((await listed(lab)).includes(lab.fixtures.module.version), "it does not");
    },
  },
  {
    id: "LIST-CANONICAL",
    severity: "must",
    en: "every line of list is a canonical version of this module path",
    zh: "list 的每一行都是该模块路径的规范版本",
    spec: repoSpec,
    check: async (lab) => {
      const bad = (await listed(lab)).find((version) => !isCanonicalFor(lab.fixtures.module.path, version));
      expect(bad === undefined, `${String(bad)} is not`);
    },
  },
  {
    id: "LIST-NO-PSEUDO",
    severity: "must",
    en: "list holds no pseudo-versions",
    zh: "list 不包含伪版本",
    spec: repoSpec,
    check: async (lab) => {
      const bad = (await listed(lab)).find((version) => isPseudo(version));
      expect(bad === undefined, `${String(bad)} is one`);
    },
  },
  {
    id: "LIST-UNIQUE",
    severity: "should",
    en: "list names each version once",
    zh: "list 中每个版本只出现一次",
    spec: repoSpec,
    check: async (lab) => {
      const versions = await listed(lab);
      expect(new Set(versions).size === versions.length, "some twice");
    },
  },
  {
    id: "LIST-NEWLINE",
    severity: "should",
    en: "list ends with a newline",
    zh: "list 以换行结尾",
    spec: protocolSpec,
    check: async (lab) => {
      const text = await lab.text(listTarget(lab.fixtures.module.path));
      expect(text === "" || text.endsWith("\n"), "it does not");
    },
  },
  {
    id: "LIST-UNKNOWN",
    severity: "must",
    en: "list of an unknown module is 404 or 410, never an empty 200",
    zh: "未知模块的 list 返回 404 或 410，绝不是空的 200",
    spec: "cmd/go modfetch proxy.go TryProxies",
    check: (lab) => lab.absent(listTarget(unknownModule)),
  },
  {
    id: "LIST-TAGLESS",
    severity: "must",
    en: "list of a module without tags is an empty 200",
    zh: "没有标签的模块的 list 返回空的 200",
    spec: repoSpec,
    check: async (lab) => {
      const path = need(lab.fixtures.tagless, "a module without tags");
      expect((await lab.text(listTarget(path))).trim() === "", "it is not empty");
    },
  },
  {
    id: "LATEST-STATUS",
    severity: "must",
    en: "@latest of a known module is a JSON object with a Version",
    zh: "已知模块的 @latest 是带 Version 的 JSON 对象",
    spec: protocolSpec,
    check: async (lab) => {
      const { Version } = await latest(lab, lab.fixtures.module.path);
      expect(isCanonicalFor(lab.fixtures.module.path, String(Version)), `Version is ${String(Version)}`);
    },
  },
  {
    id: "LATEST-TYPE",
    severity: "should",
    en: "@latest is application/json",
    zh: "@latest 的类型是 application/json",
    spec: protocolSpec,
    check: async (lab) => {
      const found = mediaType(await lab.ok(latestTarget(lab.fixtures.module.path)));
      expect(found === "application/json", `Content-Type is ${found}`);
    },
  },
  {
    id: "LATEST-RESOLVES",
    severity: "must",
    en: "the version @latest names can be asked for, with the same time",
    zh: "@latest 给出的版本可以获取，且时间一致",
    spec: repoSpec,
    check: async (lab) => {
      const { path } = lab.fixtures.module;
      const newest = await latest(lab, path);
      const info = parseInfoText(await lab.text(fileTarget({ path, version: String(newest["Version"]) }, "info")));
      expect(info["Version"] === newest["Version"] && info["Time"] === newest["Time"], "its .info says otherwise");
    },
  },
  {
    id: "LATEST-HIGHEST",
    severity: "should",
    en: "@latest is not older than the highest release in list",
    zh: "@latest 不低于 list 中的最高发布版本",
    spec: "go.dev/ref/mod#version-queries",
    check: async (lab) => {
      const highest = highestOf((await listed(lab)).filter((version) => !version.includes("-")));
      const found = String((await latest(lab, lab.fixtures.module.path))["Version"]);
      expect(
        highest === undefined || highestOf([highest, found]) === found,
        `${found}, but list has ${String(highest)}`,
      );
    },
  },
  {
    id: "LATEST-TAGLESS",
    severity: "must",
    en: "@latest of a module without tags is a pseudo-version",
    zh: "没有标签的模块的 @latest 是伪版本",
    spec: repoSpec,
    check: async (lab) => {
      const { Version } = await latest(lab, need(lab.fixtures.tagless, "a module without tags"));
      expect(isPseudo(String(Version)), `Version is ${String(Version)}`);
    },
  },
  {
    id: "LATEST-UNKNOWN",
    severity: "must",
    en: "@latest of an unknown module is 404 or 410",
    zh: "未知模块的 @latest 返回 404 或 410",
    spec: protocolSpec,
    check: (lab) => lab.absent(latestTarget(unknownModule)),
  },
  {
    id: "PROBE-HOST",
    severity: "must",
    en: "the list of a bare host name is 404 or 410 (go probes every prefix)",
    zh: "仅主机名的 list 返回 404 或 410（go 会探测每个前缀）",
    spec: probeSpec,
    check: (lab) => lab.absent(listTarget(lab.fixtures.module.path.split("/", 1)[0] ?? "")),
  },
  {
    id: "PROBE-PACKAGE",
    severity: "must",
    en: "a package inside a known module is 404 or 410, not 403, 5xx or an empty 200",
    zh: "已知模块内的包路径返回 404 或 410，而不是 403、5xx 或空的 200",
    spec: probeSpec,
    check: async (lab) => {
      const { path, version } = lab.fixtures.module;
      const inside = `${path}/granary-conformance/pkg`;
      await lab.absent(listTarget(inside));
      await lab.absent(latestTarget(inside));
      await lab.absent(fileTarget({ path: inside, version }, "info"));
    },
  },
  {
    id: "PROBE-MAJOR",
    severity: "must",
    en: "a major version nobody published is 404 or 410",
    zh: "未发布过的主版本返回 404 或 410",
    spec: probeSpec,
    check: async (lab) => {
      const path = `${lab.fixtures.module.path.replace(/\/v\d+$/, "")}/v987`;
      await lab.absent(listTarget(path));
      await lab.absent(fileTarget({ path, version: "v987.0.0" }, "info"));
    },
  },
  {
    id: "TOOLCHAIN-LIST",
    severity: "should",
    en: "golang.org/toolchain is served (go downloads newer toolchains through it)",
    zh: "提供 golang.org/toolchain（go 通过它下载新工具链）",
    spec: "go.dev/doc/toolchain",
    check: async (lab) => {
      const answer = await lab.get(listTarget("golang.org/toolchain"));
      expect(answer.status === 200, describe(answer));
      const lines = (await lab.text(listTarget("golang.org/toolchain"))).split("\n").filter((line) => line !== "");
      const bad = lines.find((line) => !/^v0\.0\.1-go\d[\w.-]*\.[a-z0-9]+-[a-z0-9]+$/.test(line));
      expect(bad === undefined, `${String(bad)} is no toolchain version`);
    },
  },
];

async function listed(lab: Lab): Promise<string[]> {
  const text = await lab.text(listTarget(lab.fixtures.module.path));
  // cmd/go takes the first field of each line and leaves the rest (a time) alone.
  const fields = text.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  return fields.filter((field) => field !== "");
}

async function latest(lab: Lab, path: string): Promise<Record<string, unknown>> {
  return parseInfoText(await lab.text(latestTarget(path)));
}
