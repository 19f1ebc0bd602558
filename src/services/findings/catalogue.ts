// Every code that diagnosis can find.

import { cacheFindings } from "./cache.ts";
import { environmentFindings } from "./environment.ts";
import { doctorFindings } from "./doctor.ts";
import type { Area, FindingKind } from "./finding.ts";
import { goFindings } from "./go.ts";
import { httpFindings } from "./http.ts";
import { mirrorsFindings } from "./mirrors.ts";
import { networkFindings } from "./network.ts";
import { storeFindings } from "./store.ts";

export const areas = {
  doctor: doctorFindings,
  environment: environmentFindings,
  network: networkFindings,
  http: httpFindings,
  go: goFindings,
  cache: cacheFindings,
  mirrors: mirrorsFindings,
  store: storeFindings,
} as const satisfies Readonly<Record<string, Area>>;

/** The kind with this code, or undefined. */
export function findingKind(code: string): FindingKind<never> | undefined {
  const all: readonly Area[] = Object.values(areas);
  return all.find((area) => Object.hasOwn(area, code))?.[code];
}
