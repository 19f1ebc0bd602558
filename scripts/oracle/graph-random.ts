// Seeded module graphs for the question which go.mod files `go` reads and which versions it selects: few paths, many
// versions, go lines around 1.17, cycles, diamonds, exclusions, replacements, workspaces.

/** One main module (or a workspace of some) and everything a proxy would have. */
export type GraphCase = {
  readonly seed: number;
  /** File name, relative to the working directory, to its text: `go.mod`, or `go.work` and `a/go.mod` …, and directories. */
  readonly files: Readonly<Record<string, string>>;
  /** `path@version` to its go.mod. */
  readonly modules: Readonly<Record<string, string>>;
};

type Random = { readonly below: (n: number) => number; readonly chance: (percent: number) => boolean };

/** mulberry32: small, seeded, good enough to mix graphs. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
  return { below, chance: (percent) => below(100) < percent };
}

const goLines = [
  "1.13",
  "1.14",
  "1.16",
  "1.17",
  "1.17.1",
  "1.18",
  "1.20",
  "1.21",
  "1.21.0",
  "1.22.3",
  "1.24.0",
  "1.26.0",
];
const mainGoLines = ["", "1.13", "1.16", "1.17", "1.18", "1.21", "1.23.0", "1.26.0", "1.26.0", "1.26.0"];

type Universe = { readonly ids: readonly string[]; readonly pick: () => string };

export function randomCase(seed: number): GraphCase {
  const dice = random(seed);
  const universe = randomUniverse(dice);
  const modules: Record<string, string> = {};
  for (const id of universe.ids) modules[id] = dependency(id, universe, dice);
  // What go asks for when something requires the main module by version.
  for (const version of ["v0.9.0", "v1.1.0"])
    modules[`example.com/main@${version}`] = dependency(`example.com/main@${version}`, universe, dice);
  const files = dice.chance(20) ? workspace(universe, dice) : single(universe, dice);
  return { seed, files, modules };
}

function randomUniverse(dice: Random): Universe {
  const paths = 3 + dice.below(12);
  const ids: string[] = [];
  for (let at = 0; at < paths; at++) {
    const versions = 1 + dice.below(4);
    const major = dice.chance(15) ? 2 : 1;
    const path = `example.com/${dice.chance(10) ? "Upper" : "m"}${at}${major === 2 ? "/v2" : ""}`;
    for (let minor = 0; minor < versions; minor++) ids.push(`${path}@${version(major, minor, dice)}`);
  }
  return { ids, pick: () => ids[dice.below(ids.length)] ?? "" };
}

function version(major: number, minor: number, dice: Random): string {
  if (dice.chance(8)) return `v${major}.${minor}.0-rc.${dice.below(3)}`;
  if (dice.chance(8)) return `v${major}.${minor}.1-0.2024010203040${dice.below(6)}-abcdefabcdef`;
  return `v${major}.${minor}.${dice.below(3)}`;
}

function dependency(id: string, universe: Universe, dice: Random): string {
  const [path = ""] = id.split("@");
  const lines = [`module ${path}`];
  if (!dice.chance(12)) lines.push(`go ${goLines[dice.below(goLines.length)] ?? "1.13"}`);
  lines.push(...requirements(universe, dice, dice.below(5)));
  // What only a main module may say must not count.
  if (dice.chance(5)) lines.push(`exclude ${universe.pick().replace("@", " ")}`);
  return `${lines.join("\n")}\n`;
}

function requirements(universe: Universe, dice: Random, count: number): string[] {
  const wanted = new Set<string>();
  for (let n = 0; n < count; n++) wanted.add(universe.pick());
  if (dice.chance(5)) wanted.add(`example.com/main@v${dice.chance(50) ? "0.9.0" : "1.1.0"}`);
  return [...wanted].map((id) => `require ${id.replace("@", " ")}${dice.chance(40) ? " // indirect" : ""}`);
}

function single(universe: Universe, dice: Random): Record<string, string> {
  const go = mainGoLines[dice.below(mainGoLines.length)] ?? "";
  const files: Record<string, string> = {};
  const more = rules(universe, dice, files);
  files["go.mod"] = mainFile({ path: "example.com/main", go, more }, universe, dice);
  return files;
}

function workspace(universe: Universe, dice: Random): Record<string, string> {
  const names = ["a", "b", "c"].slice(0, 1 + dice.below(3));
  const files: Record<string, string> = {};
  for (const name of names) {
    const path = name === "a" ? "example.com/main" : `example.com/work/${name}`;
    const go = mainGoLines[1 + dice.below(mainGoLines.length - 1)] ?? "1.21";
    // Of one module only: go refuses modules whose replacements contradict one another.
    const own = name === "a" && dice.chance(60) ? replacementsByVersion(universe, dice) : [];
    const more = [...(dice.chance(30) ? excludes(universe, dice) : []), ...own];
    files[`${name}/go.mod`] = mainFile({ path, go, more }, universe, dice);
  }
  const more = dice.chance(50) ? rules(universe, dice, files).filter((line) => line.startsWith("replace")) : [];
  files["go.work"] = `${["go 1.26.0", ...names.map((name) => `use ./${name}`), ...more].join("\n")}\n`;
  return files;
}

function replacementsByVersion(universe: Universe, dice: Random): string[] {
  return rules(universe, dice, {}).filter((line) => line.startsWith("replace") && !line.includes("./"));
}

function mainFile(
  { path, go, more }: { readonly path: string; readonly go: string; readonly more: readonly string[] },
  universe: Universe,
  dice: Random,
): string {
  const lines = [`module ${path}`, ...(go === "" ? [] : [`go ${go}`])];
  lines.push(...requirements(universe, dice, 1 + dice.below(7)), ...more);
  return `${lines.join("\n")}\n`;
}

function excludes(universe: Universe, dice: Random): string[] {
  return Array.from({ length: dice.below(3) }, () => `exclude ${universe.pick().replace("@", " ")}`);
}

/** Exclusions and replacements; directories are added to `files`. */
function rules(universe: Universe, dice: Random, files: Record<string, string>): string[] {
  const lines = dice.chance(40) ? excludes(universe, dice) : [];
  const replaced = new Set<string>();
  for (let n = dice.chance(50) ? 1 + dice.below(3) : 0; n > 0; n--) {
    const old = universe.pick();
    const [path = ""] = old.split("@");
    const left = dice.chance(50) ? old.replace("@", " ") : path;
    if (replaced.has(left)) continue;
    replaced.add(left);
    lines.push(`replace ${left} => ${replacement(path, { universe, dice, files, n })}`);
  }
  return lines;
}

function replacement(
  path: string,
  use: {
    readonly universe: Universe;
    readonly dice: Random;
    readonly files: Record<string, string>;
    readonly n: number;
  },
): string {
  const { universe, dice, files, n } = use;
  if (dice.chance(35)) {
    files[`local${n}/go.mod`] = dependency(`${path}@v1.0.0`, universe, dice);
    return `./local${n}`;
  }
  // Another version of the same module: one of another module would be refused for its name.
  const same = universe.ids.filter((id) => id.startsWith(`${path}@`));
  return (same[dice.below(same.length)] ?? universe.pick()).replace("@", " ");
}
