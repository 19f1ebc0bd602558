// Where the contexts of a machine disagree, and what each of them will not see.

import type { Evidence, Finding } from "#services/findings/finding.ts";
import { found } from "#services/findings/finding.ts";
import { environmentFindings } from "#services/findings/environment.ts";
import type { Fix } from "#services/findings/fix.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { isGoVariable, isKeptByGo } from "./assignment.ts";
import type { Trap } from "./assignment.ts";
import { placedOf } from "./scopes.ts";
import type { Placed, ScopeFile, ScopeKind } from "./scopes.ts";
import { isHarmless } from "./rule.ts";
import { findUnitTrouble } from "./scope-units.ts";

/** Everything worth saying of the files; the same files give the same findings. */
export function findScopeTrouble(files: readonly ScopeFile[]): readonly Finding[] {
  const placed = placedOf(files);
  const names = [...new Set(placed.map(({ name }) => name))];
  const cut = new Set(files.flatMap(({ reading }) => reading.traps.map(({ name }) => name)));
  return [
    ...files.flatMap((file) => file.reading.traps.map((trap) => ofTrap(trap, file))),
    ...files.flatMap(notExported),
    ...findUnitTrouble(files, placed),
    // A value that is cut is no value to compare, or to keep.
    ...names
      .filter((name) => !cut.has(name))
      .flatMap((name) => ofVariable(placed.filter((each) => each.name === name))),
    ...placed.flatMap(withSecret),
    ...fromSettings(files, placed),
  ];
}

/** As `file:line`; this process has neither. */
export function placeOf({ file, line }: { readonly file: string; readonly line: number }): string {
  return line > 0 ? `${file}:${line}` : file;
}

/** Lines `value  place`, one for each. */
export function evidenceOf(placed: readonly Placed[]): readonly Evidence[] {
  return placed.map((each) => {
    const shown = `${withoutCredentials(each.value)}   ${placeOf(each)}${each.part && ` (${each.part})`}`;
    return { kind: "place", text: shown };
  });
}

function ofTrap({ name, line, kept, lost, by }: Trap, { file }: ScopeFile): Finding {
  const place = placeOf({ file, line });
  if (by === "export")
    return found(environmentFindings, "SCOPE_EXPORT_IGNORED", { name, place }, { evidence: [atPlace(place)] });
  const evidence: Evidence[] = [
    { kind: "value", text: `${name}=${withoutCredentials(kept)}` },
    { kind: "seen", text: withoutCredentials(lost) },
  ];
  return found(environmentFindings, "SCOPE_VALUE_CUT", { name, place }, { evidence });
}

function atPlace(text: string): Evidence {
  return { kind: "place", text };
}

/** `GOPROXY=x` without export in a shell's file. */
function notExported({ scope, file, reading }: ScopeFile): Finding[] {
  if (scope !== "rc" && scope !== "login") return [];
  return reading.assignments
    .filter(({ name, kind, isMaybe }) => kind === "local" && !isMaybe && isGoVariable(name))
    .filter(({ name }) => !reading.assignments.some((other) => other.name === name && other.kind === "exported"))
    .map(({ name, value, line }) => {
      const place = placeOf({ file, line });
      const fixes = keptFixes(name, value);
      return found(
        environmentFindings,
        "SCOPE_NOT_EXPORTED",
        { name, place },
        { evidence: [{ kind: "value", text: withoutCredentials(value) }], fixes },
      );
    });
}

/** Has go keep a value that only some shells set; not one that switches verification off, or holds a password. */
function keptFixes(name: string, value: string): readonly Fix[] {
  if (!isKeptByGo(name) || value === "" || !isHarmless(name, value) || withoutCredentials(value) !== value) return [];
  return [{ kind: "set", values: { [name]: value } }];
}

/** Contexts of one person on one machine: here two values are a mistake, or a trap for later. */
const own: ReadonlySet<ScopeKind> = new Set(["terminal", "rc", "login", "user", "system"]);

function ofVariable(all: readonly Placed[]): Finding[] {
  const mine = all.filter(({ scope }) => own.has(scope));
  const terminal = mine.find(({ scope }) => scope === "terminal");
  const user = mine.find(({ scope }) => scope === "user");
  const { name = "" } = all[0] ?? {};
  const differs = new Set(mine.filter(({ isLiteral }) => isLiteral).map(({ value }) => value)).size > 1;
  if (terminal !== undefined && user !== undefined && terminal.value !== user.value)
    return [
      found(
        environmentFindings,
        "SCOPE_SHADOWED",
        { name, file: user.file },
        { evidence: evidenceOf(mine), fixes: [{ kind: "export", values: { [name]: "" } }] },
      ),
      ...elsewhere(all, terminal),
    ];
  if (differs)
    return [
      found(environmentFindings, "SCOPE_DIFFERENT", { name }, { evidence: evidenceOf(mine) }),
      ...elsewhere(all, terminal ?? user),
    ];
  return [...onlyInteractive(name, mine), ...elsewhere(all, terminal ?? user ?? mine[0])];
}

/** Set in an interactive shell's file alone. */
function onlyInteractive(name: string, mine: readonly Placed[]): Finding[] {
  const rc = mine.find(({ scope, kind, isMaybe }) => scope === "rc" && kind === "exported" && !isMaybe);
  if (rc === undefined || mine.some(({ scope }) => scope !== "rc" && scope !== "terminal")) return [];
  const fixes = rc.isLiteral ? keptFixes(name, rc.value) : [];
  const details = { evidence: evidenceOf([rc]), fixes };
  return [found(environmentFindings, "SCOPE_ONLY_INTERACTIVE", { name, file: rc.file }, details)];
}

/** Other values in units, CI and images are often wanted: said, and no more. */
function elsewhere(all: readonly Placed[], here: Placed | undefined): Finding[] {
  if (here?.isLiteral !== true) return [];
  const others = all.filter(
    ({ scope, value, isLiteral }) =>
      (scope === "unit" || scope === "ci" || scope === "image") && isLiteral && value !== here.value,
  );
  const details = { evidence: evidenceOf([here, ...others]) };
  return others.length === 0 ? [] : [found(environmentFindings, "SCOPE_OTHER_ELSEWHERE", { name: here.name }, details)];
}

/** Files that are committed, or built into an image. */
const shared: ReadonlySet<ScopeKind> = new Set(["ci", "image", "project"]);

function withSecret(placed: Placed): Finding[] {
  if (!shared.has(placed.scope) || !/:\/\/[^/\s@$]+:[^/\s@$]+@/.test(placed.value)) return [];
  const fields = { name: placed.name, place: placeOf(placed) };
  return [found(environmentFindings, "SCOPE_SECRET_IN_FILE", fields, { evidence: evidenceOf([placed]) })];
}

/** A CI value that is nothing but a variable which the file does not set: it comes from the project's settings. */
function fromSettings(files: readonly ScopeFile[], placed: readonly Placed[]): Finding[] {
  const set = new Set(
    files.filter(({ scope }) => scope === "ci").flatMap(({ reading }) => reading.assignments.map(({ name }) => name)),
  );
  return placed
    .filter(({ scope }) => scope === "ci")
    .flatMap((each) => {
      const [, variable] =
        /^\$\{?(\w+)\}?$|^\$\{\{\s*(?:vars|secrets)\.(\w+)\s*\}\}$/.exec(each.value)?.filter(Boolean) ?? [];
      if (variable === undefined || set.has(variable)) return [];
      const fields = { name: each.name, variable };
      return [found(environmentFindings, "SCOPE_FROM_CI_SETTINGS", fields, { evidence: evidenceOf([each]) })];
    });
}
