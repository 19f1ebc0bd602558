import type { Area } from "./finding.ts";

export const environmentFindings = {} as const satisfies Area;
