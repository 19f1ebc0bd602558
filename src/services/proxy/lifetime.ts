// How long an answer may be used without asking again, as its headers say (RFC 9111 §4.2, §5.2.2; RFC 5861 §3).

/** Milliseconds: fresh for the first, and then for the second still of use while somebody asks again. */
export type Lifetime = { readonly freshMs: number; readonly staleMs: number };

/** A year; longer ones, and digits without end, are no longer than that. */
const maxSeconds = 365 * 86_400;

/** What the headers say, less what a cache on the way has used up (`Age`); undefined when they give no max-age. */
export function parseLifetime(headers: Readonly<Record<string, string>>): Lifetime | undefined {
  const directives = (headers["cache-control"] ?? "").split(",").map((each) => each.trim().toLowerCase());
  const fresh = secondsOf(directives, "max-age");
  if (fresh === undefined) return undefined;
  const age = secondsOf([`age=${headers["age"] ?? ""}`], "age") ?? 0;
  const stale = secondsOf(directives, "stale-while-revalidate") ?? 0;
  return { freshMs: Math.max(0, fresh - age) * 1000, staleMs: Math.max(0, stale - Math.max(0, age - fresh)) * 1000 };
}

function secondsOf(directives: readonly string[], name: string): number | undefined {
  for (const directive of directives) {
    const [, digits] = directive.startsWith(`${name}=`) ? (/^[\w-]+="?(\d+)"?$/.exec(directive) ?? []) : [];
    if (digits !== undefined) return Math.min(Number(digits), maxSeconds);
  }
  return undefined;
}
