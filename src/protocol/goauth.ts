// What a GOAUTH command says: which headers go with which URLs. And what it is told after a refusal.
//
//   https://git.corp.example/team
//
//   Authorization: Bearer abc
//
// Source: `go help goauth`; cmd/go/internal/auth/userauth.go, auth.go.

import { ProtocolError } from "./errors.ts";

export type HeaderLine = readonly [name: string, value: string];

/** Headers by URL prefix, as `host/path` without a trailing slash; none for a prefix whose credentials are void. */
export type GoAuthAnswer = ReadonlyMap<string, readonly HeaderLine[]>;

/** RFC 9110 §5.1 and §5.5, without obs-text. */
const headerLine = /^([!#$%&'*+.^_`|~\dA-Za-z-]+): ([\t\x20-\x7e]*)$/;

/** Framing and routing are the asker's own: a credential that changes them would be a request within a request. */
const ours = /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|keep-alive|expect|proxy-.*)$/i;

/** Throws BAD_GOAUTH, whose text names a line and quotes none: any of them may be a secret. */
export function parseGoAuth(text: string): GoAuthAnswer {
  const answer = new Map<string, readonly HeaderLine[]>();
  if (text === "") return answer;
  const lines = text.split("\n");
  // What follows the last line break; Go wants an empty line at the end, line break included.
  if (lines.pop() !== "") throw bad(lines.length + 1, "has no line break");
  let at = 0;
  const block = (what: string): number => {
    const end = lines.indexOf("", at);
    if (end < 0) throw bad(lines.length, `is the last, and no empty line follows the ${what}`);
    return end;
  };
  while (at < lines.length) {
    const urlsEnd = block("URLs");
    const prefixes = lines.slice(at, urlsEnd).map((line, index) => parsePrefix(line, at + index + 1));
    at = urlsEnd + 1;
    const headersEnd = block("headers");
    const headers = lines.slice(at, headersEnd).map((line, index) => parseHeader(line, at + index + 1));
    at = headersEnd + 1;
    for (const prefix of prefixes) answer.set(prefix, headers);
  }
  return answer;
}

function parsePrefix(line: string, number: number): string {
  const isUrl = /^https:\/\/[\x21-\x7e]+$/.test(line) && URL.canParse(line);
  if (!isUrl) throw bad(number, "is no https URL");
  const { host, pathname, username, password } = new URL(line);
  if (username !== "" || password !== "") throw bad(number, "is a URL with credentials in it");
  return `${host}${pathname}`.replace(/\/$/, "");
}

function parseHeader(line: string, number: number): HeaderLine {
  const [, name, value = ""] = headerLine.exec(line) ?? [];
  if (name === undefined) throw bad(number, "is no header");
  if (ours.test(name)) throw bad(number, "is a header that is not a credential's");
  return [name, value.trim()];
}

function bad(number: number, reason: string): ProtocolError {
  return new ProtocolError("BAD_GOAUTH", `line ${number} ${reason}`);
}

/** The headers of the longest prefix of a URL, at a slash (loadCredential); undefined when there is none. */
export function headersFor(answer: GoAuthAnswer, { host, pathname }: URL): readonly HeaderLine[] | undefined {
  let prefix = `${host}${pathname}`.replace(/\/$/, "");
  for (;;) {
    const headers = answer.get(prefix);
    if (headers !== undefined) return headers;
    const slash = prefix.lastIndexOf("/");
    if (slash < 0) return undefined;
    prefix = prefix.slice(0, slash);
  }
}

/** A response as the command reads it on its standard input: status line, headers, an empty line. */
export function formatRefusal(response: {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderLine[];
}): string {
  const { status, reason, headers } = response;
  const lines = headers.map(([name, value]) => `${name}: ${value}\n`);
  return `HTTP/1.1 ${status} ${reason}\n${lines.join("")}\n`;
}
