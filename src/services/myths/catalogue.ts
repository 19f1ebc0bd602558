// Every myth, in the order of the articles. Whoever reads them imports this file when it is needed: it is mostly text.

import { commonMyths } from "./common.ts";
import type { Myth, MythCode, Myths } from "./myth.ts";
import { proofs } from "./proofs.ts";
import { setUpMyths } from "./s0-set-up.ts";
import { configurationMyths } from "./s1-configuration.ts";
import { databaseMyths } from "./s2-databases.ts";
import { timeoutMyths } from "./s2-timeouts.ts";
import { checklistMyths } from "./s3-checklist.ts";
import { mirrorMyths } from "./s4-mirrors.ts";
import type { NamedMyth } from "./select.ts";

const all: Myths = {
  ...commonMyths,
  ...setUpMyths,
  ...configurationMyths,
  ...timeoutMyths,
  ...databaseMyths,
  ...checklistMyths,
  ...mirrorMyths,
};

export const myths: readonly NamedMyth[] = Object.entries(all).map(([code, myth]) => ({
  code: code as MythCode,
  myth,
  proof: proofOf(myth),
}));

function proofOf(myth: Myth): NamedMyth["proof"] {
  return "unshown" in myth ? { unshown: myth.unshown } : { tests: myth.shown.map((name) => proofs[name]) };
}
