// The oldest patched release of each Node line we run on (the security releases of 2026-10-21).

const floors: Readonly<Record<number, string>> = { 24: "24.22.1", 26: "26.12.1" };

/** The patched version to move to when `running` (for example `v26.10.0`) is older; undefined when it is not. */
export function nodeBelowFloor(running: string): string | undefined {
  const parts = numbers(running);
  const floor = floors[parts[0] ?? 0];
  if (floor === undefined) return undefined;
  const wanted = numbers(floor);
  for (let at = 0; at < 3; at++) {
    const [have = 0, want = 0] = [parts[at], wanted[at]];
    if (have !== want) return have < want ? floor : undefined;
  }
  return undefined;
}

function numbers(version: string): number[] {
  return version.replace(/^v/, "").split(".").map(Number);
}
