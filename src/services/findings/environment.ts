// What can be wrong with the settings of go.

import { chainFindings } from "./chain.ts";
import type { Area } from "./finding.ts";
import { scopeFindings } from "./scopes.ts";
import { settingFindings } from "./settings.ts";
import { sumdbFindings } from "./sumdb-settings.ts";

export const environmentFindings = {
  ...chainFindings,
  ...settingFindings,
  ...sumdbFindings,
  ...scopeFindings,
} as const satisfies Area;
