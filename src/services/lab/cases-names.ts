// Conformance: how paths and versions are spelt on the wire, and which version queries a proxy answers.
import { describe, expect, need, sameBytes, textOf } from "./conformance-lab.ts";
import type { ConformanceCase, Lab, ModuleSample } from "./conformance-lab.ts";
import { fileTarget, listTarget, spelt, unknownVersion, wire } from "./conformance-paths.ts";
import { isCanonicalFor, parseInfoText } from "./conformance-rules.ts";

const escapeSpec = "x/mod module.EscapePath";
const querySpec = "go.dev/ref/mod#version-queries";
const repoSpec = "cmd/go modfetch proxy.go";

const escapeCases: readonly ConformanceCase[] = [
  {
    id: "ESCAPE-PATH",
    severity: "must",
    en: "an upper-case letter in the path, sent as %21 and lower case, is understood",
    zh: "路径中的大写字母以 %21 加小写发送时能被识别",
    spec: escapeSpec,
    check: (lab) => knows(lab, need(lab.fixtures.upperPath, "a path with upper case")),
  },
  {
    id: "ESCAPE-PATH-RAW",
    severity: "must",
    en: "a raw ! means the same as %21",
    zh: "未编码的 ! 与 %21 含义相同",
    spec: escapeSpec,
    check: async (lab) => {
      const sample = need(lab.fixtures.upperPath, "a path with upper case");
      await sameAnswer(lab, fileTarget(sample, "info"), `/${spelt(sample.path)}/@v/${spelt(sample.version)}.info`);
    },
  },
  {
    id: "ESCAPE-PATH-UPPER",
    severity: "must",
    en: "a raw upper-case letter in the path is refused",
    zh: "路径中未转义的大写字母会被拒绝",
    spec: escapeSpec,
    check: async (lab) => {
      const { path, version } = need(lab.fixtures.upperPath, "a path with upper case");
      await lab.refused({ method: "GET", target: `/${path}/@v/${wire(version)}.info` });
    },
  },
  {
    id: "ESCAPE-BROKEN",
    severity: "must",
    en: "an escape without a lower-case letter is refused",
    zh: "后面没有小写字母的转义会被拒绝",
    spec: escapeSpec,
    check: async (lab) => {
      for (const bad of ["%21", "%21%21a", "%21A", "%211", "!", "!!a"]) {
        await lab.refused({ method: "GET", target: `/example.com/${bad}/@v/list` });
      }
    },
  },
  {
    id: "ESCAPE-TWICE",
    severity: "must",
    en: "percent-encoding is undone once, not twice (%2521)",
    zh: "百分号编码只解一次，不解两次（%2521）",
    spec: escapeSpec,
    check: async (lab) => {
      const sample = need(lab.fixtures.upperPath, "a path with upper case");
      await lab.refused({ method: "GET", target: fileTarget(sample, "info").replaceAll("%21", "%2521") });
    },
  },
  {
    id: "ESCAPE-VERSION",
    severity: "must",
    en: "an upper-case letter in the version (-RC1), sent as %21 and lower case, is understood",
    zh: "版本中的大写字母（-RC1）以 %21 加小写发送时能被识别",
    spec: escapeSpec,
    check: (lab) => knows(lab, need(lab.fixtures.upperVersion, "a version with upper case")),
  },
  {
    id: "ESCAPE-VERSION-UPPER",
    severity: "must",
    en: "a raw upper-case letter in the version is refused",
    zh: "版本中未转义的大写字母会被拒绝",
    spec: escapeSpec,
    check: async (lab) => {
      const { path, version } = need(lab.fixtures.upperVersion, "a version with upper case");
      await lab.refused({ method: "GET", target: `/${wire(path)}/@v/${version}.info` });
    },
  },
  {
    id: "ESCAPE-NON-ASCII",
    severity: "must",
    en: "letters outside ASCII in a path are refused",
    zh: "路径中的非 ASCII 字符会被拒绝",
    spec: "x/mod module.CheckPath",
    check: async (lab) => {
      await lab.refused({ method: "GET", target: "/example.com/%E4%BB%93/@v/list" });
      await lab.refused({ method: "GET", target: "/example.com/\xe4\xbb\x93/@v/list" });
    },
  },
  {
    id: "INCOMPATIBLE-FILES",
    severity: "must",
    en: "a +incompatible version is served under its raw +",
    zh: "+incompatible 版本可用原样的 + 获取",
    spec: "x/mod module.CanonicalVersion",
    check: async (lab) => {
      const sample = need(lab.fixtures.incompatible, "a +incompatible version");
      await knows(lab, sample);
      await lab.ok(fileTarget(sample, "mod"));
      await lab.ok(fileTarget(sample, "zip"));
    },
  },
  {
    id: "INCOMPATIBLE-ENCODED",
    severity: "should",
    en: "%2B in a version means +",
    zh: "版本中的 %2B 等同于 +",
    spec: "RFC 3986 §2.3",
    check: async (lab) => {
      const target = fileTarget(need(lab.fixtures.incompatible, "a +incompatible version"), "info");
      await sameAnswer(lab, target, target.replace("+", "%2B"));
    },
  },
  {
    id: "INCOMPATIBLE-NO-SPACE",
    severity: "must",
    en: "+ is not a space: `v2.0.0%20incompatible` is no version",
    zh: "+ 不是空格：`v2.0.0%20incompatible` 不是版本",
    spec: "RFC 3986 §2.2",
    check: async (lab) => {
      const target = fileTarget(need(lab.fixtures.incompatible, "a +incompatible version"), "info");
      await lab.refused({ method: "GET", target: target.replace("+", "%20") });
    },
  },
  {
    id: "MAJOR-SUFFIX",
    severity: "must",
    en: "a module whose path ends in /vN is served",
    zh: "路径以 /vN 结尾的模块可以获取",
    spec: "go.dev/ref/mod#major-version-suffixes",
    check: (lab) => knows(lab, need(lab.fixtures.major, "a /vN module")),
  },
  {
    id: "MAJOR-MISMATCH",
    severity: "must",
    en: "a version of another major than the path's is refused for .mod and .zip",
    zh: "与路径主版本不符的版本，其 .mod 与 .zip 会被拒绝",
    spec: "x/mod module.CheckPathMajor",
    check: async (lab) => {
      const { path } = need(lab.fixtures.major, "a /vN module");
      for (const ext of ["mod", "zip"] as const) {
        await lab.refused({ method: "GET", target: fileTarget({ path, version: "v1.0.0" }, ext) });
      }
    },
  },
];

const queryCases: readonly ConformanceCase[] = [
  {
    id: "QUERY-BRANCH",
    severity: "must",
    en: "a branch query is answered with a canonical version",
    zh: "分支查询返回规范版本",
    spec: querySpec,
    check: async (lab) => {
      const { Version } = await branchInfo(lab);
      expect(isCanonicalFor(lab.fixtures.module.path, String(Version)), `Version is ${String(Version)}`);
    },
  },
  {
    id: "QUERY-BRANCH-RESOLVES",
    severity: "must",
    en: "the version a branch query names can be asked for",
    zh: "分支查询给出的版本可以获取",
    spec: querySpec,
    check: async (lab) => {
      const { Version } = await branchInfo(lab);
      const sample = { path: lab.fixtures.module.path, version: String(Version) };
      const info = parseInfoText(await lab.text(fileTarget(sample, "info")));
      expect(info["Version"] === Version, `its .info says ${String(info["Version"])}`);
      await lab.ok(fileTarget(sample, "mod"));
    },
  },
  {
    id: "QUERY-BRANCH-FRESH",
    severity: "must",
    en: "a branch answer is never marked immutable or kept for more than a day",
    zh: "分支查询的回答不会标为 immutable，缓存也不超过一天",
    spec: querySpec,
    check: async (lab) => {
      const answer = await lab.ok(branchTarget(lab, "info"));
      const control = answer.headers["cache-control"] ?? "";
      const age = Number(/(?:^|[\s,])max-age=(\d+)/.exec(control)?.[1] ?? "0");
      expect(!control.includes("immutable") && age <= 86_400, `Cache-Control is ${control}`);
    },
  },
  {
    id: "QUERY-BRANCH-FILES",
    severity: "must",
    en: ".mod and .zip take canonical versions only, never a branch",
    zh: ".mod 与 .zip 只接受规范版本，不接受分支",
    spec: "cmd/go modfetch cache.go CachePath",
    check: async (lab) => {
      for (const ext of ["mod", "zip"] as const) await lab.refused({ method: "GET", target: branchTarget(lab, ext) });
    },
  },
  {
    id: "QUERY-UNKNOWN",
    severity: "must",
    en: "a branch that does not exist is 404 or 410",
    zh: "不存在的分支返回 404 或 410",
    spec: querySpec,
    check: async (lab) => {
      await lab.absent(`/${wire(lab.fixtures.module.path)}/@v/granary-conformance-no-such-branch.info`);
    },
  },
  {
    id: "QUERY-PSEUDO-UNKNOWN",
    severity: "must",
    en: "a pseudo-version that does not exist is 404 or 410",
    zh: "不存在的伪版本返回 404 或 410",
    spec: querySpec,
    check: async (lab) => {
      await lab.absent(fileTarget({ path: lab.fixtures.module.path, version: unknownVersion }, "info"));
    },
  },
  {
    id: "QUERY-SHORT",
    severity: "must",
    en: "a short version (v1) is answered with a canonical one, or not at all",
    zh: "短版本（v1）要么返回规范版本，要么不返回",
    spec: querySpec,
    check: (lab) => canonicalOrAbsent(lab, /^v\d+/.exec(lab.fixtures.module.version)?.[0] ?? "v1"),
  },
  {
    id: "QUERY-METADATA",
    severity: "must",
    en: "a version with build metadata is answered with a canonical one, or not at all",
    zh: "带构建元数据的版本要么返回规范版本，要么不返回",
    spec: "x/mod module.CanonicalVersion",
    check: (lab) => canonicalOrAbsent(lab, `${lab.fixtures.module.version}+granary`),
  },
  ...(["latest", "upgrade", "patch"] as const).map((word): ConformanceCase => ({
    id: `QUERY-WORD-${word.toUpperCase()}`,
    severity: word === "latest" ? "must" : "should",
    en: `@v/${word}.info is refused: the word belongs to go, not to the protocol`,
    zh: `@v/${word}.info 会被拒绝：该词属于 go 命令而非协议`,
    spec: repoSpec,
    check: async (lab) => {
      await lab.refused({ method: "GET", target: `/${wire(lab.fixtures.module.path)}/@v/${word}.info` });
    },
  })),
  {
    id: "QUERY-SLASH",
    severity: "must",
    en: "a branch with a slash cannot be asked for (%2F)",
    zh: "带斜杠的分支不可查询（%2F）",
    spec: "x/mod module.EscapeVersion",
    check: async (lab) => {
      await lab.refused({ method: "GET", target: `/${wire(lab.fixtures.module.path)}/@v/feature%2Fx.info` });
    },
  },
  {
    id: "QUERY-ODD-BRANCH",
    severity: "must",
    en: "odd but legal branch names (feat#1, fix(a), a,b, rel 2) do not break the proxy",
    zh: "奇特但合法的分支名（feat#1、fix(a)、a,b、rel 2）不会使代理出错",
    spec: "x/mod module.EscapeVersion",
    check: async (lab) => {
      for (const name of ["feat%231", "fix%28a%29", "a%2Cb", "rel%202", "a%2541"]) await canonicalOrAbsent(lab, name);
    },
  },
  {
    id: "LIST-CASE",
    severity: "must",
    en: "the list of a path with upper case is found under its escaped spelling only",
    zh: "含大写字母的路径只能以转义写法取得 list",
    spec: escapeSpec,
    check: async (lab) => {
      const { path } = need(lab.fixtures.upperPath, "a path with upper case");
      await lab.ok(listTarget(path));
      await lab.refused({ method: "GET", target: `/${path}/@v/list` });
    },
  },
];

export const nameCases: readonly ConformanceCase[] = [...escapeCases, ...queryCases];

async function knows(lab: Lab, sample: ModuleSample): Promise<void> {
  const { Version } = parseInfoText(await lab.text(fileTarget(sample, "info")));
  expect(Version === sample.version, `Version is ${String(Version)}`);
}

async function sameAnswer(lab: Lab, one: string, other: string): Promise<void> {
  const [first, second] = [await lab.ok(one), await lab.get(other)];
  expect(second.status === 200 && sameBytes(first.body, second.body), `${other}: ${describe(second)}, or other bytes`);
}

function branchTarget(lab: Lab, ext: string): string {
  return `/${wire(lab.fixtures.module.path)}/@v/${need(lab.fixtures.branch, "a branch")}.${ext}`;
}

async function branchInfo(lab: Lab): Promise<Record<string, unknown>> {
  return parseInfoText(await lab.text(branchTarget(lab, "info")));
}

async function canonicalOrAbsent(lab: Lab, query: string): Promise<void> {
  const { path } = lab.fixtures.module;
  const answer = await lab.get(`/${wire(path)}/@v/${query}.info`);
  expect(answer.status === 200 || (answer.status >= 400 && answer.status < 500), describe(answer));
  if (answer.status !== 200) return;
  const { Version } = parseInfoText(textOf(answer));
  expect(isCanonicalFor(path, String(Version)), `Version is ${String(Version)}`);
}
