// Rewrite rules: modules that are asked for under one name and found under another.
//
//   old.corp/x/* => new.corp/x/*     old.corp/x/foo/v2 is found as new.corp/x/foo/v2
//   old.corp/y => new.corp/z         this one path alone
//
// One step only: what a rule leads to, no rule may lead on from. So there are no loops, and order does not matter but
// between rules that match the same path, where the first one counts.

import { ProtocolError } from "./errors.ts";
import { parsePath, splitPathVersion } from "./path.ts";
import type { ModulePath } from "./path.ts";

/** Both with `/` at the end when everything below is meant. */
export type RewriteRule = { readonly from: string; readonly to: string };

/** Reads `old.corp/x/* => new.corp/x/*`. Throws BAD_PATH. */
export function parseRewriteRule(text: string): RewriteRule {
  const [left = "", right = "", more] = text.split("=>").map((side) => side.trim());
  if (right === "" || more !== undefined) throw badRule(text, "a rule is PATH => PATH");
  const isBelow = left.endsWith("/*");
  if (isBelow !== right.endsWith("/*")) throw badRule(text, "both sides end in /*, or none");
  const [from, to] = [sideOf(left), sideOf(right)];
  if (!isBelow && splitPathVersion(left)?.pathMajor !== splitPathVersion(right)?.pathMajor)
    throw badRule(text, "both paths must end in the same major version");
  return { from, to };
}

export function formatRewriteRule({ from, to }: RewriteRule): string {
  const side = (text: string): string => (text.endsWith("/") ? `${text}*` : text);
  return `${side(from)} => ${side(to)}`;
}

/** Throws BAD_PATH when what one rule leads to may be matched by a rule again. */
export function checkRewriteRules(rules: readonly RewriteRule[]): void {
  for (const rule of rules)
    for (const next of rules)
      if (meets(rule.to, next.from))
        throw badRule(formatRewriteRule(rule), `it leads to what ${formatRewriteRule(next)} matches`);
}

/** The path under which a module is found; undefined when no rule matches, or leads to a path that cannot exist. */
export function rewritePath(rules: readonly RewriteRule[], path: string): ModulePath | undefined {
  const rule = rules.find(({ from }) => (from.endsWith("/") ? path.startsWith(from) : path === from));
  if (rule === undefined) return undefined;
  const found = rule.to + path.slice(rule.from.length);
  try {
    const isSameMajor = splitPathVersion(found)?.pathMajor === splitPathVersion(path)?.pathMajor;
    return isSameMajor ? parsePath(found) : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function sideOf(text: string): string {
  const base = text.endsWith("/*") ? text.slice(0, -2) : text;
  parsePath(base);
  // Its major versions are written otherwise, and a toolchain is none but Go's own.
  if (/^(gopkg\.in|golang\.org\/toolchain)(\/|$)/.test(base)) throw badRule(text, `${base} cannot be rewritten`);
  return text.endsWith("/*") ? `${base}/` : base;
}

/** Whether some path belongs to both. */
function meets(a: string, b: string): boolean {
  if (a.endsWith("/") && b.endsWith("/")) return a.startsWith(b) || b.startsWith(a);
  if (a.endsWith("/")) return b.startsWith(a);
  return b.endsWith("/") ? a.startsWith(b) : a === b;
}

function badRule(rule: string, reason: string): ProtocolError {
  return new ProtocolError("BAD_PATH", `rewrite rule ${JSON.stringify(rule)}: ${reason}`);
}
