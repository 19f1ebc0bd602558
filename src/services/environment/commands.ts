// What each command asks for, in order, with an empty module cache. Source: protocol reference §2.4, all measured;
// test/go/env-model.test.ts compares with real go commands.

export const goCommands = ["download", "get", "list", "versions", "tidy", "build"] as const;
export type GoCommand = (typeof goCommands)[number];

/**
 * One round along the list. `prefixes`: asked for the module path and for everything above it, all at once. `chosen`:
 * of the version that the round before chose.
 */
export type Round = {
  readonly file: "info" | "mod" | "zip" | "list" | "latest";
  readonly of: "asked" | "chosen" | "newest";
  readonly prefixes?: true;
  /** Only when the list names no version. */
  readonly onlyWithoutVersions?: true;
};

const asked = (file: "info" | "mod" | "zip"): Round => ({ file, of: "asked" });
const chosen = (file: "info" | "mod" | "zip"): Round => ({ file, of: "chosen" });
const newest: readonly Round[] = [
  { file: "list", of: "newest" },
  { file: "info", of: "newest" },
  { file: "mod", of: "newest" },
];
const choose: readonly Round[] = [
  { file: "list", of: "chosen" },
  { file: "latest", of: "chosen", onlyWithoutVersions: true },
];

/** @param version a canonical version, or undefined for `latest` */
export function roundsOf(command: GoCommand, version: string | undefined): readonly Round[] {
  const isExact = version !== undefined;
  const prefixes = { prefixes: true } as const;
  switch (command) {
    case "download":
      return isExact
        ? [asked("info"), asked("mod"), asked("zip")]
        : [...choose, chosen("info"), chosen("mod"), chosen("zip")];
    case "get":
      return isExact
        ? [{ ...asked("info"), ...prefixes }, asked("zip"), asked("mod"), ...newest]
        : [{ file: "list", of: "chosen", ...prefixes }, chosen("info"), chosen("mod"), chosen("zip")];
    case "list":
      return isExact ? [asked("info"), asked("mod"), ...newest] : [...choose, chosen("info"), chosen("mod")];
    case "versions":
      return newest;
    case "tidy":
      return [{ file: "list", of: "chosen", ...prefixes }, chosen("info"), chosen("mod"), chosen("zip")];
    case "build":
      return isExact ? [asked("mod"), asked("zip")] : [chosen("mod"), chosen("zip")];
  }
}
