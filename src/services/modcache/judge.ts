// What one version's files say about one another, and what go.sum and the checksum database say about them.

import { equalHash } from "#protocol/dirhash.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Evidence } from "#services/findings/finding.ts";
import { damageOf } from "./damage.ts";
import type { Damage, Part } from "./damage.ts";
import { truthOf } from "./known.ts";
import type { Known } from "./known.ts";
import { treePath, unitPath } from "./layout.ts";
import type { Seen } from "./look.ts";

/** Everything that is wrong with a version, but for what cannot be read. */
export function judge(id: ModuleVersion, seen: Seen, known: Known): readonly Damage[] {
  const what = formatModuleVersion(id);
  const found: Damage[] = [...formFaults(id, seen)];
  if (seen.zip?.kind === "broken") {
    const evidence: Evidence[] = [{ kind: "seen", text: `${unitPath(id, "zip")}: ${seen.zip.reason}` }];
    found.push(damageOf(id, "CACHE_ZIP_BROKEN", { fields: { what }, evidence, parts: ["zip", "ziphash"] }));
  }
  const content = contentFault(id, seen, known);
  if (content !== undefined) found.push(content);
  found.push(...treeFault(id, seen, { known, gone: content?.parts ?? [] }), ...modFault(id, seen, known));
  found.push(...disagreement(id, known));
  return found;
}

function formFaults(id: ModuleVersion, { ziphash, info }: Seen): Damage[] {
  const what = formatModuleVersion(id);
  const place = (text: string): Evidence[] => [{ kind: "place", text }];
  const faults: Damage[] = [];
  if (ziphash?.kind === "malformed")
    faults.push(
      damageOf(id, "CACHE_ZIPHASH_FORM", {
        fields: { what, reason: ziphash.reason },
        evidence: place(unitPath(id, "ziphash")),
        parts: ["ziphash"],
      }),
    );
  // go cuts blanks off its ends and believes the rest.
  if (ziphash?.kind === "hash" && ziphash.isTrimmed)
    faults.push(
      damageOf(id, "CACHE_ZIPHASH_FORM", {
        fields: { what, reason: "blanks around it" },
        evidence: place(unitPath(id, "ziphash")),
        severity: "info",
      }),
    );
  if (info?.kind === "malformed")
    faults.push(
      damageOf(id, "CACHE_INFO_BROKEN", {
        fields: { what, reason: info.reason },
        evidence: place(unitPath(id, "info")),
        parts: ["info"],
      }),
    );
  return faults;
}

/** Zip and noted hash against what is known; against each other where nothing is. */
function contentFault(id: ModuleVersion, seen: Seen, known: Known): Damage | undefined {
  const { zip, noted, tree } = hashesOf(seen);
  const truth = truthOf(known, "zip");
  const evidence = hashEvidence(seen, known, "zip");
  const fields = { what: formatModuleVersion(id) };
  const fault = (code: "CACHE_ZIP_CHANGED" | "CACHE_ZIPHASH_WRONG", parts: readonly Part[], isSure = true): Damage =>
    damageOf(id, code, { fields, evidence, parts, confidence: isSure ? "certain" : "likely" });
  if (truth === undefined) {
    if (zip === undefined || noted === undefined || same(zip, noted)) return undefined;
    // The tree was extracted from the zip of the day: it tells which of the two has changed since.
    if (same(tree, noted)) return fault("CACHE_ZIP_CHANGED", ["zip"]);
    if (same(tree, zip)) return fault("CACHE_ZIPHASH_WRONG", ["ziphash"], false);
    return fault("CACHE_ZIP_CHANGED", ["zip", "ziphash", "tree"], false);
  }
  const isZipWrong = zip !== undefined && !same(zip, truth);
  const isNotedWrong = noted !== undefined && !same(noted, truth);
  if (!isZipWrong && !isNotedWrong) return undefined;
  if (same(zip, truth)) return fault("CACHE_ZIPHASH_WRONG", ["ziphash"]);
  if (!isNotedWrong && noted !== undefined) return fault("CACHE_ZIP_CHANGED", ["zip"]);
  const parts: Part[] = [
    ...(isZipWrong || seen.zip === undefined ? (["zip"] as const) : []),
    "ziphash",
    ...(tree !== undefined && !same(tree, truth) ? (["tree"] as const) : []),
  ];
  return poisoned(id, known, { part: "zip", parts, evidence });
}

function poisoned(
  id: ModuleVersion,
  { recorded, noted }: Known,
  { part, ...details }: { part: "zip" | "mod"; parts: readonly Part[]; evidence: readonly Evidence[] },
): Damage {
  const what = formatModuleVersion(id);
  if (recorded.kind === "recorded")
    return damageOf(id, "CACHE_SUMDB_MISMATCH", { fields: { what, database: recorded.database }, ...details });
  return damageOf(id, "CACHE_GOSUM_MISMATCH", { fields: { what, file: noted[part][0]?.file ?? "go.sum" }, ...details });
}

function treeFault(
  id: ModuleVersion,
  seen: Seen,
  { known, gone }: { readonly known: Known; readonly gone: readonly Part[] },
): Damage[] {
  const fields = { what: formatModuleVersion(id) };
  const { tree } = seen;
  if (tree === undefined || gone.includes("tree")) return [];
  if (tree.kind === "odd") {
    const evidence: Evidence[] = [{ kind: "place", text: `${tree.path}: ${tree.reason}` }];
    return [damageOf(id, "CACHE_TREE_CHANGED", { fields, evidence, parts: ["tree"] })];
  }
  const { zip, noted } = hashesOf(seen);
  const truth = truthOf(known, "zip");
  const against = truth ?? (gone.includes("ziphash") ? zip : (noted ?? zip));
  if (against === undefined || same(tree.h1, against)) return [];
  const evidence: Evidence[] = [{ kind: "place", text: treePath(id) }, ...hashEvidence(seen, known, "zip")];
  return [damageOf(id, "CACHE_TREE_CHANGED", { fields, evidence, parts: ["tree"] })];
}

function modFault(id: ModuleVersion, seen: Seen, known: Known): Damage[] {
  const { mod, zip, modSha256 } = seen;
  if (mod === undefined) return [];
  const fields = { what: formatModuleVersion(id) };
  const truth = truthOf(known, "mod");
  if (truth !== undefined)
    return same(mod, truth)
      ? []
      : [
          damageOf(id, "CACHE_MOD_CHANGED", {
            fields,
            evidence: [{ kind: "place", text: unitPath(id, "mod") }, ...hashEvidence(seen, known, "mod")],
            parts: ["mod"],
          }),
        ];
  // A zip without go.mod has one made up for it (`module PATH`).
  if (zip?.kind !== "hash" || zip.goModSha256 === undefined || zip.goModSha256 === modSha256) return [];
  const evidence: Evidence[] = [{ kind: "place", text: unitPath(id, "mod") }];
  return [damageOf(id, "CACHE_MOD_UNLIKE_ZIP", { fields, evidence, confidence: "likely" })];
}

/** go.sum against the database. */
function disagreement(id: ModuleVersion, { noted, recorded }: Known): Damage[] {
  const what = formatModuleVersion(id);
  if (recorded.kind === "unproven")
    return [damageOf(id, "CACHE_SUMDB_UNPROVEN", { fields: { what, reason: recorded.reason } })];
  if (recorded.kind !== "recorded") return [];
  for (const part of ["zip", "mod"] as const) {
    const sum = recorded.sums[part];
    const wrong = noted[part].find(({ hash }) => sum !== undefined && !same(hash, sum));
    if (wrong === undefined) continue;
    const evidence: Evidence[] = [
      { kind: "place", text: `${wrong.file}:${wrong.line}` },
      { kind: "hash", text: hashLine("go.sum", wrong.hash) },
      { kind: "hash", text: hashLine(recorded.database, sum ?? "") },
    ];
    const fields = { what, file: wrong.file, database: recorded.database };
    return [damageOf(id, "CACHE_GOSUM_UNLIKE_SUMDB", { fields, evidence })];
  }
  return [];
}

function hashesOf({ zip, ziphash, tree }: Seen): Readonly<Record<"zip" | "noted" | "tree", string | undefined>> {
  return {
    zip: zip?.kind === "hash" ? zip.h1 : undefined,
    noted: ziphash?.kind === "hash" ? ziphash.h1 : undefined,
    tree: tree?.kind === "hash" ? tree.h1 : undefined,
  };
}

/** Every hash at hand, one a line, so that a person sees which one stands alone. */
function hashEvidence(seen: Seen, { noted, recorded }: Known, part: "zip" | "mod"): Evidence[] {
  const { zip, noted: ziphash, tree } = hashesOf(seen);
  const [goSum] = noted[part];
  const here: [string, string | undefined][] =
    part === "mod"
      ? [["go.mod", seen.mod]]
      : [
          ["zip", zip],
          [".ziphash", ziphash],
          ["files", tree],
        ];
  const elsewhere: [string, string | undefined][] = [
    ["go.sum", goSum?.hash],
    ...(recorded.kind === "recorded" ? [[recorded.database, recorded.sums[part]] satisfies [string, unknown]] : []),
  ];
  return [...here, ...elsewhere].flatMap(([name, hash]) =>
    hash === undefined ? [] : [{ kind: "hash", text: hashLine(name, hash) }],
  );
}

/** Columns of a name before its hash; `sum.golang.org` fits. */
const nameColumns = 15;

export function hashLine(name: string, hash: string): string {
  return `${name.padEnd(nameColumns)} ${hash}`;
}

function same(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && equalHash(a, b);
}
