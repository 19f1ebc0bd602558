import type { Area } from "./finding.ts";

export const cacheFindings = {} as const satisfies Area;
