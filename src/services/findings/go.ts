// What the go command's own output tells: its error texts by subject, and its traces.

import type { Area } from "./finding.ts";
import { goAnswerFindings } from "./go-answers.ts";
import { goCertificateFindings } from "./go-certificates.ts";
import { goMachineFindings } from "./go-machine.ts";
import { goModuleFindings } from "./go-modules.ts";
import { goNetworkFindings } from "./go-network.ts";
import { goSettingFindings } from "./go-settings.ts";
import { goSumFindings } from "./go-sums.ts";
import { goTraceFindings } from "./go-traces.ts";

export const goFindings = {
  ...goNetworkFindings,
  ...goCertificateFindings,
  ...goAnswerFindings,
  ...goSumFindings,
  ...goSettingFindings,
  ...goMachineFindings,
  ...goModuleFindings,
  ...goTraceFindings,
} as const satisfies Area;

export type GoCode = keyof typeof goFindings;
