// How a text is recognised: a literal that the line must hold, which is cheap to look for, and an expression that reads
// the fields. The first pattern that fits names the line, so that a table goes from the special to the general.
//
//   { code: "GO_ERR_NO_SUCH_HOST", find: "no such host", as: /lookup (?<host>[^\s:]+)/ }
//
// Lines come from strangers: every expression is anchored at a literal and cannot run away on a long line.

import type { GoCode } from "#services/findings/go.ts";

export type ErrorPattern = {
  readonly code: GoCode;
  /** The line holds this, letter for letter. */
  readonly find: string;
  /** The line must fit; its groups `what`, `host` and `value` are the fields. */
  readonly as?: RegExp;
  /** Who failed stands between us and the host of the URL: that host is none of the fields. */
  readonly isBetween?: true;
  /** The value where no group reads one. */
  readonly value?: string;
  /** Read from the lines that belong to this one (indented, up to six). */
  readonly below?: RegExp;
};
