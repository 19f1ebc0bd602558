import type { Area } from "./finding.ts";

export const goFindings = {} as const satisfies Area;
