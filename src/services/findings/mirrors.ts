import type { Area } from "./finding.ts";

export const mirrorsFindings = {} as const satisfies Area;
