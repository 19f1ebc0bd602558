// Which go commands can be lied to by whoever stands between them and the checksum database: three flaws of 2026.
// Source: golang/vulndb GO-2026-4984, GO-2026-6179, GO-2026-6180.

import { compareGoVersions } from "#protocol/gover.ts";

type Flaw = {
  readonly id: string;
  readonly cve: string;
  /** First releases without it, oldest line first; older lines have it for ever, newer ones never. */
  readonly fixed: readonly string[];
};

export const goFlaws: readonly Flaw[] = [
  { id: "GO-2026-4984", cve: "CVE-2026-42501", fixed: ["1.25.10", "1.26.3"] },
  { id: "GO-2026-6179", cve: "CVE-2026-56865", fixed: ["1.25.13", "1.26.6", "1.27rc3"] },
  { id: "GO-2026-6180", cve: "CVE-2026-56864", fixed: ["1.25.13", "1.26.6", "1.27rc3"] },
];

export type FlawsOfGo = {
  readonly ids: readonly string[];
  /** The smallest release that mends all of them: of the same line if there is one. */
  readonly release: string;
};

/** What a go of this version has; undefined when it has none of them. */
export function flawsOfGo(version: string): FlawsOfGo | undefined {
  const flaws = goFlaws.filter(({ fixed }) => hasFlaw(version, fixed));
  if (flaws.length === 0) return undefined;
  const needed = flaws.flatMap(({ fixed }) => [
    fixed.find((each) => lineOf(each) === lineOf(version)) ?? fixed[0] ?? "",
  ]);
  return {
    ids: flaws.map(({ id, cve }) => `${id} (${cve})`),
    release: needed.reduce((newest, each) => (compareGoVersions(each, newest) > 0 ? each : newest)),
  };
}

function hasFlaw(version: string, fixed: readonly string[]): boolean {
  const ofLine = fixed.find((each) => lineOf(each) === lineOf(version));
  if (ofLine !== undefined) return compareGoVersions(version, ofLine) < 0;
  return fixed.every((each) => compareGoVersions(version, each) < 0);
}

/** `1.26` of `1.26.8` and of `1.26rc1`. */
function lineOf(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}
