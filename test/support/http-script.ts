// HTTP behaviour as text anyone can read. A script is a list of requests, each followed by what must hold:
//
//   # a comment
//   GET /example.com/hello/@v/v1.0.0.info
//   > If-None-Match: "x"
//   code == 200
//   header content-type == application/json
//   body contains "Version"
//   keep tag = header etag
//
//   RAW
//   > GET /example.com/hello/@v/list HTTP/1.1
//   > Host: a
//   > Host: b
//   code == 400
//
// `$tag` stands for a kept value from there on. `@name` calls a hook the test gave (`@cut`); `@flags …` at the top
// belongs to whoever starts the server. `\r \n \t \0 \xHH` are bytes in request lines and in `body ==`.
import type { ProbeRequest, ProbeResponse, ProxyUnderTest } from "#services/lab/ports.ts";

export type Script = { readonly flags: readonly string[]; readonly steps: readonly Step[] };

export type Step =
  | { readonly kind: "hook"; readonly line: number; readonly name: string }
  | {
      readonly kind: "request";
      readonly line: number;
      readonly method: string;
      readonly target: string;
      readonly lines: readonly string[];
      readonly checks: readonly Check[];
    };

export type Check = { readonly line: number; readonly text: string };

export type ScriptHooks = Readonly<Record<string, () => Promise<void>>>;

const requestLine = /^(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE) (\/.*)$/;

/** Reads a script; throws with the line number when a line means nothing. */
export function parseScript(text: string): Script {
  const flags: string[] = [];
  const steps: Step[] = [];
  let current: { lines: string[]; checks: Check[] } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const [line, content] = [index + 1, raw.trim()];
    if (content === "" || content.startsWith("#")) continue;
    const [, method, target] = requestLine.exec(content) ?? [];
    if (content.startsWith("@flags ")) {
      flags.push(...content.slice("@flags ".length).split(/\s+/));
    } else if (content.startsWith("@")) {
      current = undefined;
      steps.push({ kind: "hook", line, name: content.slice(1) });
    } else if ((method !== undefined && target !== undefined) || content === "RAW") {
      current = { lines: [], checks: [] };
      steps.push({ kind: "request", line, method: method ?? "RAW", target: target ?? "", ...current });
    } else if (current === undefined) {
      throw new Error(`line ${line}: no request before ${content}`);
    } else if (content.startsWith(">")) {
      current.lines.push(content.replace(/^> ?/, ""));
    } else {
      current.checks.push({ line, text: content });
    }
  }
  return { flags, steps };
}

/** Runs a script against a server. Throws with line, request and answer when something does not hold. */
export async function runScript(script: Script, target: ProxyUnderTest, hooks: ScriptHooks = {}): Promise<void> {
  const kept = new Map<string, string>();
  for (const step of script.steps) {
    if (step.kind === "hook") {
      const hook = hooks[step.name];
      if (hook === undefined) throw new Error(`line ${step.line}: no hook @${step.name}`);
      await hook();
      continue;
    }
    if (step.checks.length === 0) throw new Error(`line ${step.line}: a request without a check proves nothing`);
    const response = await target.send(toRequest(step, kept));
    for (const check of step.checks) {
      const wrong = applyCheck(replaceKept(check.text, kept), response, kept);
      if (wrong !== undefined) throw new Error(describeFailure(step, check, response, wrong));
    }
  }
}

type RequestStep = Extract<Step, { readonly kind: "request" }>;

function toRequest(step: RequestStep, kept: ReadonlyMap<string, string>): ProbeRequest {
  const lines = step.lines.map((line) => unescapeBytes(replaceKept(line, kept)));
  const target = unescapeBytes(replaceKept(step.target, kept));
  if (step.method === "RAW") {
    const method = lines[0]?.split(" ")[0] ?? "GET";
    return { method, target, raw: `${lines.join("\r\n")}\r\n\r\n` };
  }
  const headers = lines.map((line) => {
    const [, name, value] = /^([^:]+): ?(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`line ${step.line}: not a header: ${line}`);
    return [name, value] as const;
  });
  return { method: step.method, target, headers };
}

/** What is wrong, or undefined when the check holds. */
function applyCheck(text: string, response: ProbeResponse, kept: Map<string, string>): string | undefined {
  const [, subject = "", verb = "", value = ""] =
    /^(code|keep \w+ = header [\w-]+|header [\w-]+|body lines|body bytes|body)(?: (==|!=|<=|contains|lacks|absent|present))?(?: (.*))?$/s.exec(
      text,
    ) ?? [];
  if (subject === "") return "means nothing";
  if (subject.startsWith("keep ")) return keep(subject, response, kept);
  if (subject === "code") return compare(String(response.status), verb, value);
  const body = Buffer.from(response.body).toString("utf8");
  if (subject === "body") return compare(body, verb, unescapeBytes(value));
  if (subject === "body lines") return compare(String(countLines(body)), verb, value);
  if (subject === "body bytes") return compare(String(response.body.length), verb, value);
  return compare(response.headers[subject.slice("header ".length).toLowerCase()], verb, value);
}

function compare(found: string | undefined, verb: string, value: string): string | undefined {
  const holds = ((): boolean => {
    if (verb === "absent") return found === undefined;
    if (found === undefined) return false;
    if (verb === "present") return true;
    if (verb === "==") return value.split(" | ").includes(found);
    if (verb === "!=") return found !== value;
    if (verb === "<=") return Number(found) <= Number(value);
    if (verb === "contains") return found.includes(value);
    return verb === "lacks" && !found.includes(value);
  })();
  return holds ? undefined : `found ${JSON.stringify(found)}`;
}

function keep(subject: string, response: ProbeResponse, kept: Map<string, string>): string | undefined {
  const [, name = "", header = ""] = /^keep (\w+) = header ([\w-]+)$/.exec(subject) ?? [];
  const value = response.headers[header.toLowerCase()];
  if (value === undefined) return `no header ${header}`;
  kept.set(name, value);
  return undefined;
}

function replaceKept(text: string, kept: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(\w+)/g, (all, name: string) => kept.get(name) ?? all);
}

function unescapeBytes(text: string): string {
  const named: Record<string, string> = { r: "\r", n: "\n", t: "\t", "0": "\0", "\\": "\\" };
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|([rnt0\\]))/gi, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (named[letter] ?? "") : String.fromCharCode(parseInt(hex, 16)),
  );
}

function countLines(body: string): number {
  return body === "" ? 0 : body.replace(/\n$/, "").split("\n").length;
}

function describeFailure(step: RequestStep, check: Check, response: ProbeResponse, wrong: string): string {
  const body = Buffer.from(response.body).toString("utf8").slice(0, 400);
  const headers = Object.entries(response.headers).map(([name, value]) => `  ${name}: ${value}`);
  return [
    `line ${check.line}: ${check.text}: ${wrong}`,
    `line ${step.line}: ${step.method} ${step.target}`,
    `answer ${response.status}`,
    ...headers,
    body,
  ].join("\n");
}
