// Conformance: the three files of a version, and what is said of versions that do not exist.
import { checkModuleZip } from "#protocol/zip-check.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { isCanonicalFor, parseInfoText } from "./conformance-rules.ts";
import { describe, expect, mediaType, need, sameBytes, textOf } from "./conformance-lab.ts";
import type { ConformanceCase, Lab, ModuleSample } from "./conformance-lab.ts";
import { fileTarget, unknownModule, unknownTag } from "./conformance-paths.ts";

const protocolSpec = "go.dev/ref/mod#goproxy-protocol";
const repoSpec = "cmd/go modfetch proxy.go";
const zipSpec = "go.dev/ref/mod#zip-files";

export const fileCases: readonly ConformanceCase[] = [
  {
    id: "INFO-STATUS",
    severity: "must",
    en: ".info of a known version is answered with 200",
    zh: "已知版本的 .info 返回 200",
    spec: protocolSpec,
    check: (lab) => lab.ok(fileTarget(lab.fixtures.module, "info")),
  },
  {
    id: "INFO-TYPE",
    severity: "should",
    en: ".info is application/json",
    zh: ".info 的类型是 application/json",
    spec: protocolSpec,
    check: (lab) => hasType(lab, "info", "application/json"),
  },
  {
    id: "INFO-VERSION",
    severity: "must",
    en: ".info names exactly the version that was asked for",
    zh: ".info 中的 Version 与请求的版本完全一致",
    spec: repoSpec,
    check: async (lab) => {
      const { Version } = await infoOf(lab);
      expect(Version === lab.fixtures.module.version, `Version is ${String(Version)}`);
    },
  },
  {
    id: "INFO-TIME",
    severity: "must",
    en: "Time in .info is RFC 3339 (anything else is a hard error in go)",
    zh: ".info 中的 Time 符合 RFC 3339（否则 go 直接报错）",
    spec: repoSpec,
    check: async (lab) => {
      const { Time } = await infoOf(lab);
      expect(Time === undefined || Time === null || isRfc3339(Time), `Time is ${JSON.stringify(Time)}`);
    },
  },
  {
    id: "INFO-TIME-PRESENT",
    severity: "should",
    en: ".info carries the commit time",
    zh: ".info 带有提交时间",
    spec: protocolSpec,
    check: async (lab) => {
      const { Time } = await infoOf(lab);
      expect(typeof Time === "string" && !Time.startsWith("0001-"), "no Time");
    },
  },
  {
    id: "INFO-ORIGIN-SHAPE",
    severity: "must",
    en: "Origin in .info, when there, is an object of strings",
    zh: ".info 中的 Origin（若有）是由字符串组成的对象",
    spec: "cmd/go codehost.Origin",
    check: async (lab) => {
      const { Origin } = await infoOf(lab);
      const values = typeof Origin === "object" && Origin !== null ? Object.values(Origin) : [];
      expect(Origin === undefined || typeof Origin === "object", `Origin is ${JSON.stringify(Origin)}`);
      expect(
        values.every((value) => typeof value === "string"),
        "a field of Origin is no string",
      );
    },
  },
  {
    id: "INFO-ORIGIN-KEPT",
    severity: "should",
    en: "Origin, when the source gives one, is passed on",
    zh: "上游给出的 Origin 会原样保留",
    spec: "cmd/go codehost.Origin",
    check: async (lab) => {
      need(lab.fixtures.origin || undefined, "a source with Origin");
      const { Origin } = await infoOf(lab);
      expect(typeof Origin === "object" && Origin !== null && "VCS" in Origin, "Origin is missing");
    },
  },
  {
    id: "MOD-STATUS",
    severity: "must",
    en: ".mod of a known version is answered with 200",
    zh: "已知版本的 .mod 返回 200",
    spec: protocolSpec,
    check: (lab) => lab.ok(fileTarget(lab.fixtures.module, "mod")),
  },
  {
    id: "MOD-TYPE",
    severity: "should",
    en: ".mod is text/plain",
    zh: ".mod 的类型是 text/plain",
    spec: protocolSpec,
    check: (lab) => hasType(lab, "mod", "text/plain"),
  },
  {
    id: "MOD-MODULE-LINE",
    severity: "must",
    en: ".mod declares the module path that was asked for",
    zh: ".mod 声明的 module 路径与请求一致",
    spec: repoSpec,
    check: async (lab) => {
      const text = await lab.text(fileTarget(lab.fixtures.module, "mod"));
      const declared = /^\s*module\s+"?([^\s"]+)"?/m.exec(text)?.[1];
      expect(declared === lab.fixtures.module.path, `module line says ${String(declared)}`);
    },
  },
  {
    id: "ZIP-STATUS",
    severity: "must",
    en: ".zip of a known version is answered with 200",
    zh: "已知版本的 .zip 返回 200",
    spec: protocolSpec,
    check: (lab) => lab.ok(fileTarget(lab.fixtures.module, "zip")),
  },
  {
    id: "ZIP-TYPE",
    severity: "should",
    en: ".zip is application/zip",
    zh: ".zip 的类型是 application/zip",
    spec: protocolSpec,
    check: (lab) => hasType(lab, "zip", "application/zip"),
  },
  {
    id: "ZIP-LENGTH",
    severity: "should",
    en: ".zip says its length, so that a cut download is noticed",
    zh: ".zip 带 Content-Length，断流可被发现",
    spec: "RFC 9112 §6.3",
    check: async (lab) => {
      const answer = await lab.ok(fileTarget(lab.fixtures.module, "zip"));
      expect(answer.headers["content-length"] === String(answer.body.length), "no Content-Length");
    },
  },
  {
    id: "ZIP-PLAIN",
    severity: "must",
    en: ".zip carries no content coding when none was asked for",
    zh: "未要求压缩时 .zip 不带 Content-Encoding",
    spec: "RFC 9110 §12.5.3",
    check: async (lab) => {
      const answer = await lab.ok(fileTarget(lab.fixtures.module, "zip"));
      const coding = answer.headers["content-encoding"] ?? "identity";
      expect(coding === "identity", `Content-Encoding is ${coding}`);
    },
  },
  {
    id: "ZIP-RULES",
    severity: "must",
    en: ".zip obeys every rule of module zips (names, prefix, sizes, structure)",
    zh: ".zip 遵守模块 zip 的全部规则（名称、前缀、大小、结构）",
    spec: zipSpec,
    check: (lab) => zipReport(lab, lab.fixtures.module),
  },
  {
    id: "ZIP-SAME-GOMOD",
    severity: "must",
    en: "the go.mod in the .zip is the .mod (one snapshot)",
    zh: ".zip 中的 go.mod 与 .mod 相同（同一快照）",
    spec: zipSpec,
    check: async (lab) => {
      const { goMod } = await zipReport(lab, lab.fixtures.module);
      const mod = await lab.ok(fileTarget(lab.fixtures.module, "mod"));
      expect(goMod !== undefined && sameBytes(goMod, mod.body), "they differ");
    },
  },
  {
    id: "FILES-STABLE",
    severity: "must",
    en: "asking twice gives the same bytes for .info, .mod and .zip",
    zh: "重复请求 .info、.mod、.zip 得到相同的字节",
    spec: protocolSpec,
    check: async (lab) => {
      for (const ext of ["info", "mod", "zip"] as const) {
        const target = fileTarget(lab.fixtures.module, ext);
        const [first, second] = [await lab.ok(target), await lab.fresh(target)];
        expect(second.status === 200 && sameBytes(first.body, second.body), `.${ext} changed`);
      }
    },
  },
  {
    id: "FILES-PARALLEL",
    severity: "must",
    en: "sixteen clients at once get the same bytes",
    zh: "16 个并发客户端得到相同的字节",
    spec: protocolSpec,
    check: async (lab) => {
      const target = fileTarget(lab.fixtures.module, "zip");
      const first = await lab.ok(target);
      const answers = await Promise.all(Array.from({ length: 16 }, () => lab.fresh(target)));
      const wrong = answers.find(({ status, body }) => status !== 200 || !sameBytes(first.body, body));
      expect(wrong === undefined, `one got ${wrong === undefined ? "" : describe(wrong)}, other bytes or none`);
    },
  },
  ...(["info", "mod", "zip"] as const).map((ext): ConformanceCase => ({
    id: `UNKNOWN-VERSION-${ext.toUpperCase()}`,
    severity: "must",
    en: `.${ext} of a version that does not exist is 404 or 410`,
    zh: `不存在的版本的 .${ext} 返回 404 或 410`,
    spec: protocolSpec,
    check: async (lab) => {
      await lab.absent(fileTarget({ ...lab.fixtures.module, version: unknownTag }, ext));
    },
  })),
  ...(["info", "mod", "zip"] as const).map((ext): ConformanceCase => ({
    id: `UNKNOWN-MODULE-${ext.toUpperCase()}`,
    severity: "must",
    en: `.${ext} of a module that does not exist is 404 or 410`,
    zh: `不存在的模块的 .${ext} 返回 404 或 410`,
    spec: protocolSpec,
    check: (lab) => lab.absent(fileTarget({ path: unknownModule, version: "v1.0.0" }, ext)),
  })),
  {
    id: "UNKNOWN-KIND",
    severity: "must",
    en: "a file kind that is not part of the protocol is refused",
    zh: "协议之外的文件类型会被拒绝",
    spec: protocolSpec,
    check: async (lab) => {
      const base = fileTarget(lab.fixtures.module, "info").slice(0, -"info".length);
      for (const end of ["tar.gz", "INFO", "lock", "ziphash", "", "info.info"]) {
        await lab.refused({ method: "GET", target: base + end });
      }
    },
  },
  {
    id: "INFO-KNOWN-VERSION-CANONICAL",
    severity: "must",
    en: "Version in .info is canonical and fits the module path",
    zh: ".info 中的 Version 为规范形式且与模块路径相符",
    spec: "x/mod module.Check",
    check: async (lab) => {
      const { Version } = await infoOf(lab);
      expect(isCanonicalFor(lab.fixtures.module.path, String(Version)), `Version is ${String(Version)}`);
    },
  },
];

/** The checked zip of a sample; fails the case with the first broken rule. */
export async function zipReport(lab: Lab, sample: ModuleSample): Promise<{ goMod?: Uint8Array; h1: string }> {
  const answer = await lab.ok(fileTarget(sample, "zip"));
  const report = checkModuleZip(bytesSource(answer.body), sample);
  const [first] = report.problems;
  expect(report.valid, `${first?.rule ?? "?"}: ${first?.name ?? ""}: ${first?.reason ?? ""}`);
  return report;
}

async function infoOf(lab: Lab): Promise<Record<string, unknown>> {
  return parseInfoText(textOf(await lab.ok(fileTarget(lab.fixtures.module, "info"))));
}

async function hasType(lab: Lab, ext: "info" | "mod" | "zip", want: string): Promise<void> {
  const found = mediaType(await lab.ok(fileTarget(lab.fixtures.module, ext)));
  expect(found === want, `Content-Type is ${found}`);
}

function isRfc3339(text: unknown): boolean {
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
  return typeof text === "string" && form.test(text) && !Number.isNaN(Date.parse(text));
}
