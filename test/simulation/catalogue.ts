// The modules of the simulated world, their true bytes, and what a lying mirror sends instead. Made once for all seeds.
import { createHash } from "node:crypto";
import { hashGoMod } from "#protocol/dirhash.ts";
import { formatInfo, parseInfo } from "#protocol/info.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { goModOf, makeModule } from "../support/modules.ts";
import { Chance } from "./chance.ts";

export type Entry = {
  readonly id: ModuleVersion;
  /** `path@version` */
  readonly name: string;
  /** A release or prerelease: lists name no others. */
  readonly isListed: boolean;
  /** `.info` as the first mirror says it, and as the others do: nothing proves the time, so both are true. */
  readonly infos: readonly [Uint8Array, Uint8Array];
  readonly mod: Uint8Array;
  readonly zip: Uint8Array;
  readonly h1: { readonly mod: string; readonly zip: string };
  /** Well-formed, and not what the database has on record. */
  readonly lie: { readonly mod: Uint8Array; readonly zip: Uint8Array };
  /** In hexadecimal. */
  readonly sha256: { readonly mod: string; readonly zip: string };
};

const releases = ["v1.0.0", "v1.1.0", "v1.2.0-rc.1", "v1.2.0", "v1.10.0", "v1.11.1"];
const pseudo = ["v0.0.0-20240102030405-abcdefabcdef", "v0.0.0-20240203040506-0123456789ab"];

type Draft = { readonly path: string; readonly versions: readonly string[]; readonly extraBytes: number };

/** Small ones, nested ones, one with capitals, pseudo-versions, and two large enough to be read and resumed in parts. */
const drafts: readonly Draft[] = [
  { path: "example.com/base", versions: releases, extraBytes: 0 },
  { path: "example.com/base/cmd/tool", versions: releases.slice(0, 3), extraBytes: 0 },
  { path: "github.com/Azure/thing", versions: releases, extraBytes: 2_000 },
  { path: "example.com/two/v2", versions: ["v2.0.0", "v2.0.1", "v2.3.0"], extraBytes: 0 },
  { path: "example.com/old", versions: ["v2.0.0+incompatible", "v2.1.0+incompatible"], extraBytes: 0 },
  { path: "example.com/pseudo", versions: pseudo, extraBytes: 0 },
  { path: "example.com/large", versions: releases.slice(0, 4), extraBytes: 150_000 },
  { path: "example.org/larger", versions: releases.slice(0, 3), extraBytes: 210_000 },
  { path: "gopkg.in/yaml.v3", versions: ["v3.0.0", "v3.0.1"], extraBytes: 9_000 },
  { path: "golang.org/x/text", versions: releases, extraBytes: 30_000 },
  { path: "rsc.io/quote", versions: releases.slice(0, 5), extraBytes: 500 },
  { path: "rsc.io/sampler", versions: releases.slice(0, 4), extraBytes: 500 },
];

/** Every version there will ever be, in the order in which its module publishes them. */
export const catalogue: readonly Entry[] = drafts.flatMap((draft, n) =>
  draft.versions.map((version, i) => entryOf(draft, version, { n, i })),
);

export const modulePaths: readonly string[] = drafts.map(({ path }) => path);

function entryOf({ path, extraBytes }: Draft, version: string, at: { n: number; i: number }): Entry {
  const { n, i } = at;
  // Some go.mod files lead to others, for what is fetched ahead.
  const requires = drafts
    .slice(Math.max(0, n - 2), n)
    .map((other) => `\t${other.path} ${other.versions[i % other.versions.length] ?? ""}\n`);
  const graph = n % 3 === 0 ? "" : `\nrequire (\n${requires.join("")})\n`;
  const goMod = `module ${path}\n\ngo 1.19\n${graph}`;
  const hasGoMod = !version.endsWith("+incompatible");
  const time = `2024-0${1 + (i % 9)}-02T03:04:05Z`;
  const files = {
    ...(hasGoMod && { "go.mod": goMod }),
    "doc.go": `package p // ${version}\n`,
    "sub/part/a.go": "package part\n",
    ...(extraBytes > 0 && { "data.txt": noise(extraBytes, n * 100 + i) }),
  };
  const module = makeModule({ path, version, time, files });
  const lying = makeModule({ path, version, time, files: { ...files, "doc.go": `package p // ${version}!\n` } });
  const id = checkModuleVersion(path, version);
  const mod = Buffer.from(goModOf(module));
  const zip = fixtureZip(module);
  return {
    id,
    name: `${path}@${version}`,
    isListed: !pseudo.includes(version),
    infos: [infoOf(version, time), infoOf(version, time.replace("05Z", "06Z"))],
    mod,
    zip,
    h1: { mod: hashGoMod(mod), zip: checkModuleZip(bytesSource(zip), id).h1 },
    lie: { mod: Buffer.from(`${mod.toString()}\n// lie\n`), zip: fixtureZip(lying) },
    sha256: { mod: sha256(mod), zip: sha256(zip) },
  };
}

function infoOf(version: string, time: string): Uint8Array {
  return formatInfo(parseInfo(Buffer.from(JSON.stringify({ Version: version, Time: time }))));
}

/** Text that does not get smaller. */
function noise(bytes: number, seed: number): string {
  const chance = new Chance(seed);
  return Buffer.from(Uint8Array.from({ length: Math.ceil(bytes * 0.75) }, () => chance.below(256))).toString("base64");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
