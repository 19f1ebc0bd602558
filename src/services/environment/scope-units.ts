// What a systemd unit does not get: a home directory, and what its administrator keeps with `go env -w`.

import { environmentFindings } from "#services/findings/environment.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { Fix } from "#services/findings/fix.ts";
import type { Placed, ScopeFile, UnitFacts } from "./scopes.ts";

export function findUnitTrouble(files: readonly ScopeFile[], placed: readonly Placed[]): readonly Finding[] {
  return files.flatMap((file) =>
    file.unit === undefined
      ? []
      : [...withoutHome(file.unit, file.file), ...unseen(file.unit, placed.filter(ofUnit(file.unit)), placed)],
  );
}

function ofUnit({ name }: UnitFacts): (placed: Placed) => boolean {
  return ({ scope, part }) => scope === "unit" && part === name;
}

/** Without User= systemd sets no HOME (systemd.exec), and go then has no env file, no module cache, no build cache. */
function withoutHome({ name, user, hasDynamicUser, hasHome, isOfUser, unread }: UnitFacts, file: string): Finding[] {
  if (hasHome || isOfUser || user !== undefined || hasDynamicUser) return [];
  return [
    found(
      environmentFindings,
      "SCOPE_UNIT_NO_HOME",
      { unit: name },
      {
        evidence: [{ kind: "place", text: file }],
        fixes: [edit(name)],
        confidence: unread.length === 0 ? "certain" : "possible",
      },
    ),
  ];
}

/** What the user keeps with `go env -w` and the unit does not set: it runs as somebody else. */
function unseen(unit: UnitFacts, own: readonly Placed[], placed: readonly Placed[]): Finding[] {
  if (unit.isOfUser) return [];
  const missing = placed.filter(({ scope, name }) => scope === "user" && !own.some((each) => each.name === name));
  const [first] = missing;
  if (first === undefined) return [];
  const names = missing.map(({ name }) => name).join(" ");
  return [
    found(
      environmentFindings,
      "SCOPE_UNIT_UNSEEN",
      { unit: unit.name, names, file: first.file },
      {
        evidence: missing.map(({ name, value }) => ({
          kind: "value",
          text: `Environment="${name}=${unitText(value)}"`,
        })),
        fixes: [edit(unit.name)],
        confidence: unit.unread.length === 0 ? "likely" : "possible",
      },
    ),
  ];
}

/** As it stands between double quotes of Environment=. */
function unitText(value: string): string {
  return value.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%");
}

function edit(unit: string): Fix {
  return { kind: "run", argv: ["systemctl", "edit", unit], asRoot: true };
}
