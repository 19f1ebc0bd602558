// What a run of doctor came to, before anybody formats it.

import type { Secret } from "#services/findings/redact.ts";
import type { Checked } from "./check.ts";

/** Where it looked. */
export type DoctorFacts = {
  /** `1.26.8`; undefined when there is no go command. */
  readonly go: string | undefined;
  /** `linux/amd64` */
  readonly platform: string;
  /** The main module of the working directory. */
  readonly module: string | undefined;
};

export type DoctorReport = {
  readonly facts: DoctorFacts;
  readonly checks: readonly Checked[];
  readonly ms: number;
  /** What a report for strangers must not tell. */
  readonly secrets: readonly Secret[];
};
