// Rules for the names of variables: what no go command reads, what this one does not read yet, what hides what.

import { nearest } from "#services/errors/nearest.ts";
import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { settingFindings } from "#services/findings/settings.ts";
import { parseGoEnvFile } from "./go-env-file.ts";
import { knows, sinceVersion } from "./go-versions.ts";
import { evidenceOf, isHarmless } from "./rule.ts";
import type { Lint } from "./rule.ts";
import { foreignNames, mistakenNames, otherFileNames, variables } from "./variables.ts";

const known: ReadonlySet<string> = new Set([...variables.map(({ name }) => name), ...otherFileNames]);

export function lintNames(on: Lint): readonly Finding[] {
  return [...strangers(on), ...tooNew(on), ...shadows(on)];
}

function strangers({ from }: Lint): readonly Finding[] {
  const inProcess = Object.keys(from.process)
    .filter((name) => (from.process[name] ?? "") !== "" && isMistake(name))
    .map((name) => stranger(name, { kind: "place", text: `$${name}` }));
  const file = from.userFile;
  if (file.kind !== "text") return inProcess;
  const inFile = parseGoEnvFile(file.text)
    .lines.filter(({ name }) => name === name.trim() && !known.has(name) && !foreignNames.has(name))
    .map(({ name, line }) => stranger(name, { kind: "place", text: `${file.path}:${line}` }));
  return [...inProcess, ...inFile];
}

/** In the environment every program has its names: only what is one of the known mistakes, or nearly one of go's. */
function isMistake(name: string): boolean {
  if (Object.hasOwn(mistakenNames, name)) return true;
  if (!/^GO[A-Z0-9_]*$/.test(name) || known.has(name) || foreignNames.has(name)) return false;
  return name.length > 5 && nearOf(name) !== undefined;
}

function stranger(name: string, evidence: Evidence): Finding {
  const meant = mistakenNames[name] ?? nearOf(name) ?? "";
  return found(settingFindings, "ENV_UNKNOWN_NAME", { name, meant }, { evidence: [evidence] });
}

function nearOf(name: string): string | undefined {
  const own = variables.map((variable) => variable.name).filter((each) => each.startsWith("GO"));
  return nearest(name, own);
}

function tooNew({ from, settings }: Lint): readonly Finding[] {
  return variables.flatMap(({ name, since }) => {
    const value = from.process[name] ?? "";
    if (since === undefined || knows(settings.version, since) || value === "") return [];
    const fields = { name, since: sinceVersion(since), version: settings.version };
    const evidence: Evidence[] = [{ kind: "value", text: withoutCredentials(`${name}=${value}`) }];
    return [found(settingFindings, "ENV_TOO_NEW", fields, { evidence })];
  });
}

/** Another value in the environment than what `go env -w` wrote. */
function shadows({ settings }: Lint): readonly Finding[] {
  return Object.values(settings.all).flatMap((setting) => {
    const hidden = setting.shadowed.find(({ place }) => place.kind === "user-file");
    if (setting.place.kind !== "process" || hidden === undefined || hidden.value === setting.value) return [];
    const { name } = setting;
    const behind = withoutCredentials(hidden.value);
    const evidence: Evidence[] = [...evidenceOf({ ...setting, value: withoutCredentials(setting.value) })];
    if (hidden.place.kind === "user-file")
      evidence.push({ kind: "place", text: `${hidden.place.path}:${hidden.place.line} ${name}=${behind}` });
    // Without the variable the value of the file counts: not one that switches verification off.
    const fixes = isHarmless(name, hidden.value) ? [{ kind: "export", values: { [name]: "" } } as const] : [];
    return [found(settingFindings, "ENV_SHADOWED", { name }, { evidence, fixes })];
  });
}
