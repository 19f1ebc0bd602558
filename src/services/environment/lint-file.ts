// Rules for the go env file: lines that go passes over, and lines that do not say what they seem to.

import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { settingFindings } from "#services/findings/settings.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { parseGoEnvFile } from "./go-env-file.ts";
import type { EnvLine, IgnoredLine } from "./go-env-file.ts";
import { knows } from "./go-versions.ts";
import type { Lint } from "./rule.ts";
import { isHarmless } from "./rule.ts";
import { variables } from "./variables.ts";

const processOnly: ReadonlySet<string> = new Set(
  variables.filter((variable) => variable.processOnly === true).map(({ name }) => name),
);
/** Nothing else reads patterns and paths as they stand, quotes included. */
const plainValues = /^GO(?:PRIVATE|NOPROXY|NOSUMDB|INSECURE|SUMDB|PATH|MODCACHE|CACHE|TOOLCHAIN|111MODULE)$/;

export function lintFile({ from, settings }: Lint): readonly Finding[] {
  const file = from.userFile;
  if (!knows(settings.version, "lists")) return [];
  if (file.kind === "nowhere") return [found(settingFindings, "ENV_FILE_NOWHERE", { missing: file.missing })];
  if (file.kind === "unreadable") {
    const evidence: Evidence[] = [{ kind: "place", text: file.path }];
    return [found(settingFindings, "ENV_FILE_UNREADABLE", { reason: file.reason }, { evidence })];
  }
  if (file.kind !== "text") return [];
  const { lines, ignored } = parseGoEnvFile(file.text);
  const { path } = file;
  return [
    ...ignored.slice(0, maxIgnored).map((line) => passedOver(line, path)),
    ...lines.flatMap((line) => oneLine(line, path)),
    ...duplicates(lines, path),
  ];
}

/** A file that is no go env file at all has more; nobody reads on. */
const maxIgnored = 20;

function passedOver({ text, line, why }: IgnoredLine, path: string): Finding {
  const before = withoutCredentials(text);
  const bare = before.replace(/^\s*(?:export\s+)?/, "").replace(/^([A-Za-z_0-9]+)\s*=\s*/, "$1=");
  const [, name, value = ""] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(bare) ?? [];
  // A line that does nothing and would switch verification off is best left alone.
  const isMendable = name !== undefined && before === text && isHarmless(name, value);
  const evidence: Evidence[] = [{ kind: "place", text: `${path}:${line}` }];
  const fixes = isMendable ? [{ kind: "edit", file: path, line, before, after: bare } as const] : [];
  return found(settingFindings, "ENV_FILE_IGNORED_LINE", { text: before.slice(0, 60), why }, { evidence, fixes });
}

function oneLine({ name, value, line }: EnvLine, path: string): readonly Finding[] {
  const evidence: Evidence[] = [{ kind: "place", text: `${path}:${line}` }];
  if (name !== name.trim()) {
    const bare = name.trim();
    const before = withoutCredentials(`${name}=${value}`);
    const after = `${bare}=${value.trim()}`;
    const isMendable = before === `${name}=${value}` && isHarmless(bare, value.trim());
    const fixes = isMendable ? [{ kind: "edit", file: path, line, before, after } as const] : [];
    return [found(settingFindings, "ENV_FILE_KEY_BLANK", { name: bare }, { evidence, fixes })];
  }
  const findings: Finding[] = [];
  if (value.endsWith("\r")) findings.push(found(settingFindings, "ENV_FILE_CR", { name }, { evidence }));
  if (processOnly.has(name)) findings.push(found(settingFindings, "ENV_FILE_PROCESS_ONLY", { name }, { evidence }));
  if (plainValues.test(name) && /^(["'“‘]).*["'”’]$/.test(value.trim())) {
    const after = value.trim().slice(1, -1);
    const fixes = isHarmless(name, after) ? [{ kind: "set", values: { [name]: after } } as const] : [];
    findings.push(found(settingFindings, "ENV_QUOTES", { name, value }, { evidence, fixes }));
  }
  return findings;
}

function duplicates(lines: readonly EnvLine[], path: string): readonly Finding[] {
  return [...Map.groupBy(lines, ({ name }) => name)].flatMap(([name, same]) => {
    if (same.length < 2) return [];
    const fields = { name, lines: same.map(({ line }) => line).join(", ") };
    const evidence: Evidence[] = [{ kind: "place", text: path }];
    return [found(settingFindings, "ENV_FILE_DUPLICATE", fields, { evidence })];
  });
}
