// JUnit's XML, as CI servers read it: a suite for each file, a case for each line.

import { isWrong, type CheckedLine, type GoSumsReport } from "#services/sumtools/go-sums.ts";

export function formatJunit({ files, lines }: GoSumsReport): string {
  const suites = files.map((file) => {
    const own = lines.filter((line) => line.file === file);
    const attributes = [
      `name="${escapeXml(file)}"`,
      `tests="${own.length}"`,
      `failures="${own.filter(isWrong).length}"`,
      `errors="${own.filter(({ verdict }) => verdict === "unverified").length}"`,
      `skipped="${own.filter(isSkipped).length}"`,
    ].join(" ");
    return `  <testsuite ${attributes}>\n${own.map(formatCase).join("")}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="sumverify">\n${suites.join("")}</testsuites>\n`;
}

function isSkipped({ verdict }: CheckedLine): boolean {
  return verdict === "private" || verdict === "foreign";
}

function formatCase(line: CheckedLine): string {
  const open = `    <testcase classname="${escapeXml(line.file)}" name="${escapeXml(`${line.line}: ${line.what}`)}"`;
  const result = resultOf(line);
  return result === undefined ? `${open}/>\n` : `${open}>${result}</testcase>\n`;
}

function resultOf(line: CheckedLine): string | undefined {
  const { verdict, hash = "", recorded, reason = "" } = line;
  const message = recorded === undefined ? reason : `go.sum ${hash}, ${recorded.database} ${recorded.hash}`;
  if (isWrong(line)) return `<failure type="${verdict}" message="${escapeXml(message)}"/>`;
  if (verdict === "unverified") return `<error type="${verdict}" message="${escapeXml(message)}"/>`;
  return isSkipped(line) ? `<skipped message="${verdict}"/>` : undefined;
}

/** XML 1.0 has no place for other control characters, escaped or not. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "?")
    .replace(/[&<>"'\t\n\r]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
