// Go's own versions, as `go` and `toolchain` lines name them: `1.9`, `1.21rc2`, `1.23.4`.
// Source: internal/gover Parse and Compare, cmd/go gover FromToolchain, modfetch/toolchain.go.

type GoVersionParts = {
  readonly major: string;
  readonly minor: string;
  /** "" where it is missing, and that is older than any: from 1.21 on, `1.21` comes before `1.21rc1` and `1.21.0`. */
  readonly patch: string;
  readonly kind: string;
  readonly pre: string;
};

const number = "(0|[1-9][0-9]*)";
const pattern = new RegExp(`^${number}(?:\\.${number}(?:\\.${number}|([a-z]+)${number}?)?)?$`);

/** gover.Compare: -1, 0 or 1; what is no version comes first. */
export function compareGoVersions(a: string, b: string): number {
  const v = parse(a);
  const w = parse(b);
  return (
    compareNumbers(v.major, w.major) ||
    compareNumbers(v.minor, w.minor) ||
    compareNumbers(v.patch, w.patch) ||
    Number(v.kind > w.kind) - Number(v.kind < w.kind) ||
    compareNumbers(v.pre, w.pre)
  );
}

/** True when modules of this go line list all that their packages need (gover.ExplicitIndirectVersion). */
export function prunesGraph(go: string | undefined): boolean {
  return go !== undefined && compareGoVersions(go, "1.17") >= 0;
}

/** The Go version of a toolchain's name: `1.22.3` of `go1.22.3-custom`; undefined when it names none. */
export function toolchainVersion(name: string): string | undefined {
  const version = /^go([^\s-]*)/.exec(name)?.[1] ?? "";
  return pattern.test(version) && !/[\\/]/.test(name) ? version : undefined;
}

/** True for what was released under that name: `1.22` from 1.21 on is a language, `1.22.0` a release. */
export function isGoRelease(version: string): boolean {
  const { major, patch, kind } = parse(version);
  return major !== "" && (patch !== "" || kind !== "");
}

function parse(text: string): GoVersionParts {
  const found = pattern.exec(text);
  if (found === null) return { major: "", minor: "", patch: "", kind: "", pre: "" };
  const [, major = "", minor, patch, kind = "", pre = ""] = found;
  if (minor === undefined) return { major, minor: "0", patch: "0", kind, pre };
  const isOldRelease = patch === undefined && kind === "" && compareNumbers(minor, "21") < 0;
  return { major, minor, patch: patch ?? (isOldRelease ? "0" : ""), kind, pre };
}

// The numbers may have any length, so they are compared as text.
function compareNumbers(a: string, b: string): number {
  return Math.sign(a.length - b.length) || Number(a > b) - Number(a < b);
}
