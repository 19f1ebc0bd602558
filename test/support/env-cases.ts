// Environments drawn from a seed: what a go command may meet, and what the model says of it.
import { goDefaultProxyList, sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import { predict } from "#services/environment/predict.ts";
import type { Prediction, Wanted } from "#services/environment/predict.ts";
import { settingsOf } from "#services/environment/settings.ts";
import type { FileSeen, Surroundings } from "#services/environment/surroundings.ts";
import { attitudes, deadProxy, happeningOf, hopNames } from "./env-world.ts";
import type { Attitude, EnvWorld, HopName } from "./env-world.ts";

export const testModule = "example.com/x/m";

/** Ready to be handed to a go command and to the model. */
export type EnvCase = {
  readonly command: Wanted["command"];
  /** Process environment. */
  readonly process: Readonly<Record<string, string>>;
  /** The go env file; undefined for GOENV=off. */
  readonly file: string | undefined;
  readonly attitudes: Readonly<Record<HopName, Attitude>>;
  /** Status of `supported`. */
  readonly relays: Readonly<Record<HopName, number>>;
};

/** Numbers below 1 that a seed decides (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const commands = ["download", "download", "versions", "latest", "get", "get"] as const;
const privates = [
  "",
  "",
  "",
  "example.com",
  "example.com/x/*",
  "other.example",
  "a.example, example.com",
  "*",
  "example.com/x/m/",
  "https://example.com",
  "EXAMPLE.com",
];
const noProxies = ["", "", "none", "example.com", "other.example,*.com"];
const noSums = ["", "", "none", "example.com/*", "*", " example.com"];
const flags = ["-modcacherw", "-modcacherw", "-modcacherw -mod=mod", "-modcacherw -mod=vendor", "mod=vendor"];
const modes = ["", "on", "on", "auto", "off", "yes"];

export function drawCase(seed: number, world: EnvWorld): EnvCase {
  const next = dice(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const values: Record<string, string> = {
    GOPROXY: drawList(next, pick, world),
    GOPRIVATE: pick(privates),
    GONOPROXY: pick(noProxies),
    GONOSUMDB: pick(noSums),
    GOSUMDB: drawDatabase(pick, world),
    GOFLAGS: next() < 0.8 ? "-modcacherw" : pick(flags),
    GO111MODULE: next() < 0.85 ? "" : pick(modes),
  };
  const process: Record<string, string> = {};
  const lines: string[] = ["# settings", " GOPROXY=https://never.example", "export GOSUMDB=off", "GOPRIVATE = *"];
  for (const [name, value] of Object.entries(values)) {
    const where = next();
    // In the process alone, in the file alone, or in both with other values in the file.
    if (where < 0.55 || value === "") process[name] = value;
    else lines.push(...(next() < 0.3 ? [`${name}=${goDefaultProxyList}`] : []), `${name}=${value}`);
    if (where < 0.2 && value !== "") lines.push(`${name}=other`);
    if (where >= 0.8) process[name] ??= "";
  }
  return {
    command: pick(commands),
    process,
    file: next() < 0.9 ? `${lines.join("\n")}\n` : lines.join("\n"),
    attitudes: byHop(() => (next() < 0.4 ? "knows" : pick(attitudes))),
    relays: byHop(() => pick([200, 200, 404, 410, 500])),
  };
}

function byHop<T>(make: () => T): Record<HopName, T> {
  return { A: make(), B: make(), C: make() };
}

type Pick = <T>(from: readonly T[]) => T;

function drawList(next: () => number, pick: Pick, world: EnvWorld): string {
  const special = next() < 0.2 ? pick(["direct", "off", "Direct", "proxy", " , ", "ftp://x.test"]) : "";
  if (special !== "") return special;
  const hops = hopNames.filter(() => next() < 0.6).map((name) => world.url(name));
  if (next() < 0.15) hops.splice(Math.floor(next() * (hops.length + 1)), 0, deadProxy);
  if (hops.length === 0) hops.push(world.url("A"));
  const words = [...hops, ...pick([[], ["direct"], ["off"], ["direct", world.url("C")]])];
  return words
    .map((word, at) => {
      const blank = next() < 0.15 ? " " : "";
      const separator = at === words.length - 1 ? pick(["", "", "", ","]) : pick([",", "|", ",", "|", ",,"]);
      return `${blank}${word}${next() < 0.1 ? "/" : ""}${blank}${separator}`.replace(/^( ?(?:direct|off))\//, "$1");
    })
    .join("");
}

function drawDatabase(pick: Pick, world: EnvWorld): string {
  const { database } = world;
  const key = database.verifierKey;
  return pick([
    "off",
    "off",
    key,
    key,
    key,
    `${key} ${world.url("B")}/sumdb/${database.name}`,
    sumdbName,
    sumdbMirrorChina,
    "direct",
    `https://${sumdbName}`,
    `${sumdbName}+insecure`,
    `${key} a b`,
  ]);
}

/** What the model sees of a case. */
export function surroundingsOf(test: EnvCase, version: string): Surroundings {
  const userFile: FileSeen =
    test.file === undefined ? { kind: "off" } : { kind: "text", path: "/home/dev/.config/go/env", text: test.file };
  const goroot = [`GOPROXY=${goDefaultProxyList}`, `GOSUMDB=${sumdbName}`, "GOTOOLCHAIN=local", ""].join("\n");
  return {
    platform: "linux",
    process: test.process,
    userFile,
    netrc: { kind: "absent", path: "/home/dev/.netrc" },
    go: { version, goroot: "/go", file: { kind: "text", path: "/go/go.env", text: goroot } },
  };
}

export function predictCase(test: EnvCase, world: EnvWorld, version: string): Prediction {
  const nameOf = new Map(hopNames.map((name) => [world.url(name), name]));
  return predict(
    settingsOf(surroundingsOf(test, version)),
    { module: testModule, version: "v1.0.0", command: test.command, inModule: test.command === "get" },
    {
      hop: (base, path, operation) => {
        const name = nameOf.get(base);
        if (name === undefined) return "refused";
        if (operation !== "supported" && !path.startsWith(`/${testModule}/`)) return 404;
        if (operation !== "supported") return happeningOf(test.attitudes[name], operation);
        return path.includes(world.database.name) ? test.relays[name] : notOurs(test.relays[name]);
      },
      repository: () => 404,
      lookup: (base) => (base.endsWith(`/sumdb/${world.database.name}`) ? 200 : "refused"),
    },
  );
}

/** The fake proxies relay one database; of another they say 404 unless they are told to fail. */
function notOurs(status: number): number {
  return status === 200 ? 404 : status;
}

/** What is asked all at once has no order: the requests for paths above the module, and for repositories of `go get`. */
export function inComparableOrder(requests: readonly string[], command: EnvCase["command"]): readonly string[] {
  if (command !== "get") return requests;
  const isOrdered = (request: string): boolean => request.includes(`/${testModule}/`) || request.includes("/sumdb/");
  return [...requests.filter(isOrdered), ...requests.filter((request) => !isOrdered(request)).toSorted()];
}

/** The model's requests in the words of the recorder. A dead proxy records nothing. */
export function expectedRequests(prediction: Prediction, world: EnvWorld): string[] {
  const nameOf = new Map(hopNames.map((name) => [world.url(name), name]));
  return prediction.requests.flatMap((request) => {
    if (request.kind === "repository") return [`out ${request.module.split("/")[0]}:443`];
    const [, root = "", below = ""] = /^(https?:\/\/[^/]+)(.*)$/.exec(request.base) ?? [];
    const name = nameOf.get(root);
    if (name !== undefined) return [`${name} ${below}${request.path}`];
    return root === deadProxy ? [] : [`out ${root.replace("https://", "")}:443`];
  });
}
