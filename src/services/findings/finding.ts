// What diagnosis finds. A finding is data: a stable code, the fields of its title, what was seen, how sure we are, and
// what would mend it. Its sentences come from its kind, in both languages.

import type { Lang } from "#services/errors/sentences.ts";
import type { Fix } from "./fix.ts";

/** `fail`: it breaks builds, or trust. `warn`: it will, or it costs. `info`: worth knowing. */
export type Severity = "fail" | "warn" | "info";

/** `certain`: the evidence proves it. `likely`: it fits best. `possible`: one explanation of several. */
export type Confidence = "certain" | "likely" | "possible";

/** What kind of thing was seen; the label in front of it is translated, the text itself never is. */
export type EvidenceKind =
  | "value" // a setting as it stands
  | "place" // a file with its line, or a variable
  | "seen" // a request and its answer, or a command and what it printed
  | "address"
  | "certificate"
  | "times"
  | "hash";

export type Evidence = { readonly kind: EvidenceKind; readonly text: string };

/** What is said about one code in one language. `title` is one line without a full stop. */
export type FindingText<F> = {
  readonly title: (fields: F) => string;
  /** Why it is so, and where that is written: one or two sentences, true of every finding of this kind. */
  readonly why: string;
  /** What to do where no command does it. */
  readonly advice?: string;
};

export type FindingKind<F> = {
  readonly severity: Severity;
  /** Page below docs/, with its anchor. */
  readonly page: string;
  readonly text: Readonly<Record<Lang, FindingText<F>>>;
};

/** Fields of a title: short plain values, foreign text already cut. */
export type FindingFields = Readonly<Record<string, string | number>>;

export type Finding = {
  readonly code: string;
  readonly kind: FindingKind<never>;
  readonly fields: FindingFields;
  readonly severity: Severity;
  readonly evidence: readonly Evidence[];
  readonly confidence: Confidence;
  /** In the order in which they are to be tried. */
  readonly fixes: readonly Fix[];
  /** Command lines that show more of it, or prove it; they change nothing. */
  readonly checks: readonly string[];
};

/** Describes one code. */
export function kind<F extends FindingFields>(
  severity: Severity,
  page: string,
  text: Readonly<Record<Lang, FindingText<F>>>,
): FindingKind<F> {
  return { severity, page, text };
}

/** The kinds of one area by code. */
export type Area = Readonly<Record<string, FindingKind<never>>>;
type FieldsOf<K> = K extends FindingKind<infer F> ? F : never;

export type Details = {
  readonly evidence?: readonly Evidence[];
  readonly fixes?: readonly Fix[];
  readonly checks?: readonly string[];
  /** Without it `certain`. */
  readonly confidence?: Confidence;
  /** Where this one weighs other than its kind. */
  readonly severity?: Severity;
};

/** Makes a finding of an area: `found(chainFindings, "CHAIN_STOPS", { hop: 1 }, { evidence })`. */
export function found<A extends Area, C extends keyof A & string>(
  area: A,
  code: C,
  fields: FieldsOf<A[C]>,
  { evidence = [], fixes = [], checks = [], confidence = "certain", severity }: Details = {},
): Finding {
  const it = area[code] as A[C];
  return {
    code,
    kind: it,
    fields: fields as FindingFields,
    severity: severity ?? it.severity,
    evidence,
    confidence,
    fixes,
    checks,
  };
}

/** A finding's sentences in one language. */
export function wordsOf(
  finding: Finding,
  lang: Lang,
): { readonly title: string; readonly why: string; readonly advice?: string } {
  const text = finding.kind.text[lang];
  const { why, advice } = text;
  return { title: text.title(finding.fields as never), why, ...(advice !== undefined && { advice }) };
}

const weights: Readonly<Record<Severity, number>> = { fail: 0, warn: 1, info: 2 };

/** The ones that matter most first; of equal weight in the order in which they were found. */
export function byWeight(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => weights[a.severity] - weights[b.severity]);
}
