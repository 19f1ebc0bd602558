import type { Area } from "./finding.ts";

export const networkFindings = {} as const satisfies Area;
