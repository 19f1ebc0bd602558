// Conformance: partial zips (RFC 9110 §14). A proxy may ignore Range; one that answers 206 must be exact.
import { ask, etagOf, isWhole, targetOf } from "./cases-http.ts";
import { CaseFailed, describe, expect, sameBytes } from "./conformance-lab.ts";
import type { ConformanceCase, Lab } from "./conformance-lab.ts";

const rangeSpec = "RFC 9110 §14";

export const rangeCases: readonly ConformanceCase[] = [
  {
    id: "RANGE-FIRST",
    severity: "should",
    en: "the first hundred bytes of a zip can be asked for",
    zh: "可以请求 zip 的前 100 个字节",
    spec: rangeSpec,
    check: (lab) => isPart(lab, "bytes=0-99", () => [0, 100]),
  },
  {
    id: "RANGE-MIDDLE",
    severity: "should",
    en: "an interrupted download can go on from the middle",
    zh: "中断的下载可以从中间继续",
    spec: rangeSpec,
    check: (lab) => isPart(lab, "bytes=50-", (size) => [50, size]),
  },
  {
    id: "RANGE-SUFFIX",
    severity: "should",
    en: "the last bytes of a zip can be asked for",
    zh: "可以请求 zip 的最后若干字节",
    spec: rangeSpec,
    check: (lab) => isPart(lab, "bytes=-22", (size) => [size - 22, size]),
  },
  {
    id: "RANGE-BEYOND",
    severity: "should",
    en: "a range that starts behind the end is 416 and names the size",
    zh: "超出末尾的范围返回 416 并给出总大小",
    spec: rangeSpec,
    check: async (lab) => {
      const whole = await lab.ok(targetOf(lab, "zip"));
      const answer = await ask(lab, "zip", [["Range", `bytes=${whole.body.length}-`]]);
      expect(answer.status === 416, describe(answer));
      expect(answer.headers["content-range"] === `bytes */${whole.body.length}`, "no Content-Range with the size");
    },
  },
  {
    id: "RANGE-MALFORMED",
    severity: "must",
    en: "a Range that is none is ignored",
    zh: "无效的 Range 会被忽略",
    spec: rangeSpec,
    check: async (lab) => {
      for (const value of ["bytes=a-b", "lines=0-1", "bytes=5-2"]) await isWhole(lab, [["Range", value]]);
    },
  },
  {
    id: "RANGE-MANY",
    severity: "must",
    en: "several ranges at once get the whole zip, or a well-formed multipart answer, never a wrong one",
    zh: "同时请求多个范围时返回完整内容或正确的 multipart，绝不返回错误内容",
    spec: rangeSpec,
    check: async (lab) => {
      const whole = await lab.ok(targetOf(lab, "zip"));
      const answer = await ask(lab, "zip", [["Range", "bytes=0-1,4-5"]]);
      if (answer.status === 416 || (answer.status === 200 && sameBytes(whole.body, answer.body))) return;
      const type = answer.headers["content-type"] ?? "";
      expect(answer.status === 206 && type.startsWith("multipart/byteranges;"), `${describe(answer)} ${type}`);
    },
  },
  {
    id: "IF-RANGE-SAME",
    severity: "should",
    en: "If-Range with the current ETag gives the part",
    zh: "If-Range 与当前 ETag 相符时返回部分内容",
    spec: "RFC 9110 §13.1.5",
    check: async (lab) => {
      const answer = await ask(lab, "zip", [
        ["Range", "bytes=0-9"],
        ["If-Range", await etagOf(lab, "zip")],
      ]);
      expect(answer.status === 206 && answer.body.length === 10, describe(answer));
    },
  },
  {
    id: "IF-RANGE-OTHER",
    severity: "must",
    en: "If-Range with another ETag gives the whole zip, or a resumed file would be a mixture",
    zh: "If-Range 与当前 ETag 不符时返回完整内容，否则续传文件会混杂",
    spec: "RFC 9110 §13.1.5",
    check: (lab) =>
      isWhole(lab, [
        ["Range", "bytes=0-9"],
        ["If-Range", '"granary-conformance"'],
      ]),
  },
  {
    id: "IF-RANGE-WEAK",
    severity: "must",
    en: "If-Range with a weak ETag never matches",
    zh: "If-Range 使用弱 ETag 时绝不匹配",
    spec: "RFC 9110 §13.1.5",
    check: async (lab) => {
      const tag = (await lab.ok(targetOf(lab, "zip"))).headers["etag"] ?? '"granary-conformance"';
      await isWhole(lab, [
        ["Range", "bytes=0-9"],
        ["If-Range", `W/${tag.replace(/^W\//, "")}`],
      ]);
    },
  },
  {
    id: "RANGE-TELLS",
    severity: "should",
    en: "Accept-Ranges says that ranges work",
    zh: "Accept-Ranges 表明支持范围请求",
    spec: rangeSpec,
    check: async (lab) => {
      const { headers } = await lab.ok(targetOf(lab, "zip"));
      expect(headers["accept-ranges"] === "bytes", `Accept-Ranges is ${headers["accept-ranges"] ?? "absent"}`);
    },
  },
];

async function isPart(lab: Lab, range: string, bounds: (size: number) => [number, number]): Promise<void> {
  const whole = (await lab.ok(targetOf(lab, "zip"))).body;
  const [from, to] = bounds(whole.length);
  if (whole.length < 120) throw new CaseFailed("the zip is too small to cut");
  const answer = await ask(lab, "zip", [["Range", range]]);
  expect(answer.status === 206, `${describe(answer)}, want 206`);
  const want = `bytes ${from}-${to - 1}/${whole.length}`;
  expect(answer.headers["content-range"] === want, `Content-Range is ${String(answer.headers["content-range"])}`);
  expect(sameBytes(answer.body, whole.subarray(from, to)), "other bytes");
}
