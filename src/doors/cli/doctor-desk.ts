// What `granary doctor` is handed; app/doctor.ts implements it.

import type { Check, Checked } from "#services/doctor/check.ts";
import type { Step } from "#services/doctor/mend.ts";
import type { DoctorFacts, DoctorReport } from "#services/doctor/report.ts";
import type { TimeoutAdvice } from "#services/doctor/timeout.ts";
import type { Secret } from "#services/findings/redact.ts";

export type DoctorRequest = {
  /** Those that are to run. */
  readonly checks: readonly Pick<Check, "id">[];
  readonly budgetMs: number;
  readonly isOffline: boolean;
  /** What is asked for instead of a module of the go.mod here: `path@version`. */
  readonly module: string | undefined;
};

export type DoctorWatch = {
  /** Before the first check begins. */
  readonly onFacts: (facts: DoctorFacts, secrets: readonly Secret[]) => void;
  readonly onDone: (checked: Checked) => void;
};

export type MendOutcome =
  /** `backup`: where what was there before is kept. */
  { readonly kind: "done"; readonly backup?: string } | { readonly kind: "failed"; readonly reason: string };

export type DoctorDesk = {
  /** All there are, in their order. */
  readonly checks: () => readonly Omit<Check, "run">[];
  readonly examine: (request: DoctorRequest, watch: DoctorWatch) => Promise<DoctorReport>;
  /** Where the waiting of a log comes from (a file, `-`, or none), and what helps. Throws GRANARY_INPUT_UNREADABLE. */
  readonly adviseTimeout: (log: string | undefined) => Promise<TimeoutAdvice>;
  /** Asks the person at the terminal; false when there is none. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Applies steps in their order; goes on after one that fails. */
  readonly mend: (steps: readonly Step[]) => Promise<readonly { readonly step: Step; readonly outcome: MendOutcome }[]>;
};
