// What a log tells, from beginning to end.
//
//   explainErrors("go: example.com/m@v1.0.0: Get \"https://p.example/…\": dial tcp: lookup p.example: no such host")
//     → causes: [GO_ERR_NO_SUCH_HOST]

import { withoutCredentials } from "#services/findings/redact.ts";
import type { GoCode } from "#services/findings/go.ts";
import { explainHits } from "./error-groups.ts";
import type { Explained } from "./error-groups.ts";
import { granaryHit, hitAt } from "./error-hits.ts";
import type { Hit } from "./error-hits.ts";
import { Http2Reader } from "./error-http2.ts";
import type { Http2Report } from "./error-http2.ts";
import { logLines } from "./error-lines.ts";
import type { LogLine } from "./error-lines.ts";
import { slowMs, TraceReader } from "./error-trace.ts";
import type { TracedHost } from "./error-trace.ts";

export type ErrorReport = Explained & {
  /** Lines that were read, empty ones aside. */
  readonly lines: number;
  /** Lines that look like an error and that no pattern knows: the first ones, and how many. */
  readonly unknown: { readonly texts: readonly string[]; readonly count: number };
  /** Of `-x`; empty without. */
  readonly requests: readonly TracedHost[];
  /** Of http2debug. */
  readonly http2?: Http2Report;
};

const maxUnknown = 5;

const looksBad =
  /\b(?:error|fail(?:ed|ure)?|fatal|panic|cannot|can't|unable|denied|refused|timeout|timed out|invalid|not found)\b/i;
const isTalk =
  /^go: (?:downloading|finding|extracting|added|upgraded|downgraded|removed|found|creating|to add|switching)\b/;

/** Never throws; what a log says is never obeyed. */
export function explainErrors(text: string): ErrorReport {
  const lines = [...logLines(text)];
  const hits: Hit[] = [];
  const unknown: string[] = [];
  let strangers = 0;
  const trace = new TraceReader();
  const http2 = new Http2Reader();
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as LogLine;
    if (http2.read(line)) continue;
    const isTrace = trace.read(line);
    const hit = hitAt(lines, at);
    if (hit?.code === "GO_GO_MOD" && hitAt(lines, at + 1) !== undefined) continue; // the next line says which error
    if (hit !== undefined) {
      const { last, granary } = answerBelow(lines, at, hit);
      // Our own code says more than the status it came with.
      hits.push(granary ?? hit);
      at = last;
    } else if (!isTrace && isStranger(line)) {
      strangers++;
      if (unknown.length < maxUnknown) unknown.push(`${line.number}: ${withoutCredentials(line.text).slice(0, 200)}`);
    }
  }
  const requests = trace.report();
  const frames = http2.report();
  const explained = explainHits([...hits, ...traceHits(requests), ...http2Hits(frames)]);
  return {
    ...explained,
    lines: lines.length,
    unknown: { texts: unknown, count: strangers },
    requests,
    ...(frames.frames > 0 && { http2: frames }),
  };
}

/** `server response:` and its lines: the server's words, passed over; our own code among them. */
function answerBelow(lines: readonly LogLine[], at: number, hit: Hit): { last: number; granary: Hit | undefined } {
  let last = at;
  let granary: Hit | undefined;
  if (lines[at + 1]?.text.startsWith("server response:") !== true) return { last, granary };
  for (let next = at + 1; lines[next]?.isIndented === true || next === at + 1; next++) {
    granary ??= granaryHit(lines[next] as LogLine, hit);
    last = next;
  }
  return { last, granary };
}

function isStranger({ text, isIndented }: LogLine): boolean {
  return !isIndented && !isTalk.test(text) && text !== "SECURITY ERROR" && looksBad.test(text);
}

function made(code: GoCode, host: string, value: string, text: string): Hit {
  return { code, said: { what: "", host, value }, line: { number: 0, text, isIndented: false } };
}

function traceHits(hosts: readonly TracedHost[]): Hit[] {
  return hosts.flatMap(({ host, unanswered, unansweredCount, slowestMs, slowestUrl }) => [
    ...unanswered.map((url) => made("GO_TRACE_UNANSWERED", host, String(unansweredCount), `# get ${url}`)),
    ...(slowestMs < slowMs ? [] : [made("GO_TRACE_SLOW", host, `${slowestMs / 1000} s`, `# get ${slowestUrl}`)]),
  ]);
}

function http2Hits({ resets, goaways, unanswered, cancelledUnanswered }: Http2Report): Hit[] {
  const listed = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([code, count]) => `${code.replace(/^read /, "")} ×${count}`)
      .join(", ");
  const theirs = Object.fromEntries(Object.entries(resets).filter(([key]) => key.startsWith("read ")));
  const away = listed(goaways);
  return [
    ...(Object.keys(theirs).length === 0 ? [] : [made("GO_H2_SERVER_RESET", "", listed(theirs), "read RST_STREAM")]),
    ...(away === "" ? [] : [made("GO_H2_GOAWAY", "", away, "read GOAWAY")]),
    ...(unanswered === 0 ? [] : [made("GO_H2_NO_ANSWER", "", String(unanswered), "wrote HEADERS, read nothing")]),
    ...(cancelledUnanswered === 0
      ? []
      : [made("GO_H2_CLIENT_CANCELLED", "", String(cancelledUnanswered), "wrote RST_STREAM CANCEL")]),
  ];
}
