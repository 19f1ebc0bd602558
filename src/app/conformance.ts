// `granary conformance URL`: runs the suite of services/lab against a proxy and prints what came out.
import { rawHttpTarget } from "#adapters/system/raw-http.ts";
import { publicFixtures } from "#services/lab/conformance-fixtures.ts";
import { runConformance } from "#services/lab/conformance.ts";
import type { CaseResult, ConformanceFixtures } from "#services/lab/conformance.ts";
import { ProbeFailed } from "#services/lab/ports.ts";

export type ConformanceCommandOptions = {
  /** One JSON document instead of lines. */
  readonly json: boolean;
  /** Receives text with its line ends. */
  readonly out: (text: string) => void;
  readonly lang?: "en" | "zh-CN";
  /** What exists behind the proxy; default well-known public modules. */
  readonly fixtures?: ConformanceFixtures;
  /** For one request. */
  readonly timeoutMs?: number;
};

/** Returns the exit code: 0 every `must` case passed, 1 some did not, 2 no proxy URL, 3 nobody answers there. */
export async function runConformanceCommand(url: string, options: ConformanceCommandOptions): Promise<number> {
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    options.out(`conformance: ${url} is not an http or https URL\n`);
    return 2;
  }
  const target = rawHttpTarget(url, options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs });
  try {
    await target.send({ method: "GET", target: "/" });
  } catch (error) {
    if (!(error instanceof ProbeFailed)) throw error;
    options.out(`conformance: no answer from ${withoutUserinfo(url)}: ${error.message}\n`);
    return 3;
  }
  const results: CaseResult[] = [];
  for await (const result of runConformance(target, options.fixtures ?? publicFixtures)) {
    results.push(result);
    if (!options.json) options.out(formatResult(result, options.lang ?? "en"));
  }
  options.out(options.json ? formatJson(url, results) : formatSummary(results));
  return results.some(({ outcome, severity }) => outcome === "fail" && severity === "must") ? 1 : 0;
}

function formatResult(result: CaseResult, lang: "en" | "zh-CN"): string {
  const title = lang === "zh-CN" ? result.zh : result.en;
  const mark = { pass: "ok  ", fail: result.severity === "must" ? "FAIL" : "fail", skip: "skip" }[result.outcome];
  const why = result.why === "" ? "" : `\n       ${result.why}`;
  return `${mark}   ${result.id} (${result.severity}): ${title}${why}\n`;
}

type Counts = { readonly pass: number; readonly failMust: number; readonly failShould: number; readonly skip: number };

function count(results: readonly CaseResult[]): Counts {
  const failed = results.filter(({ outcome }) => outcome === "fail");
  return {
    pass: results.filter(({ outcome }) => outcome === "pass").length,
    failMust: failed.filter(({ severity }) => severity === "must").length,
    failShould: failed.filter(({ severity }) => severity === "should").length,
    skip: results.filter(({ outcome }) => outcome === "skip").length,
  };
}

function formatSummary(results: readonly CaseResult[]): string {
  const { pass, failMust, failShould, skip } = count(results);
  return `${results.length} cases: ${pass} pass, ${failMust} fail (must), ${failShould} fail (should), ${skip} skipped\n`;
}

function formatJson(url: string, results: readonly CaseResult[]): string {
  const document = {
    schema: "granary.conformance/1",
    url: withoutUserinfo(url),
    counts: count(results),
    cases: results,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function withoutUserinfo(url: string): string {
  const safe = new URL(url);
  safe.username = "";
  safe.password = "";
  return safe.href;
}
