// What can go wrong with an upstream, as data: the stub upstream consults its fault table before every answer.
import type { ServerResponse } from "node:http";

/** A ready answer of the stub. */
export type StubAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

/** The part of a 200 that a Range header asks for (RFC 9110 §14): one range `bytes=FROM-`, if If-Range has no objection. */
export function rangeOf(
  answer: StubAnswer,
  asked: { readonly range?: string | undefined; readonly "if-range"?: string | string[] | undefined },
): StubAnswer {
  const from = Number(/^bytes=(\d+)-$/.exec(asked.range ?? "")?.[1] ?? Number.NaN);
  const condition = asked["if-range"];
  if (answer.status !== 200 || Number.isNaN(from)) return answer;
  if (condition !== undefined && condition !== answer.headers["etag"]) return answer;
  const total = answer.body.length;
  if (from >= total) return { status: 416, headers: { "content-range": `bytes */${total}` }, body: Buffer.alloc(0) };
  const headers = { ...answer.headers, "content-range": `bytes ${from}-${total - 1}/${total}` };
  return { status: 206, headers, body: answer.body.subarray(from) };
}

export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A page instead of the answer, with status 200: captive portals, expired certificates of boxes in between. */
  | { readonly kind: "html"; readonly contentType?: string }
  | { readonly kind: "delay"; readonly ms: number }
  /** Headers and `after` bytes, then silence. Without `after` not even headers. */
  | { readonly kind: "stall"; readonly after?: number }
  /** Headers and `after` bytes, then a broken connection (RST). Without `after` not even headers. */
  | { readonly kind: "reset"; readonly after?: number }
  /** Promises the whole length, sends `after` bytes, closes in good order. Without `after` not even headers. */
  | { readonly kind: "truncate"; readonly after?: number }
  /** Headers and `after` bytes, then one byte a second. */
  | { readonly kind: "drip"; readonly after: number }
  /** A right beginning, then more and more of the same, until `most` bytes are out; then silence, and `onMost` is told. */
  | { readonly kind: "endless"; readonly most: number; readonly onMost: () => void }
  /** These bytes instead of a whole HTTP answer, then the end of the connection. */
  | { readonly kind: "raw"; readonly raw: (answer: StubAnswer) => Uint8Array }
  /** Wrong bytes under a right status. */
  | { readonly kind: "bytes"; readonly body: Uint8Array | string }
  | { readonly kind: "edit"; readonly edit: (body: Uint8Array) => Uint8Array }
  | { readonly kind: "redirect"; readonly location: string };

type Entry = { readonly where: string | RegExp; readonly fault: Fault; left: number };

/** Faults by path; the newest entry that matches wins. */
export class FaultTable {
  readonly #entries: Entry[] = [];

  /** Sends `fault` for `where` (a whole request path, or a pattern), `times` times or until clear(). */
  add(where: string | RegExp, fault: Fault, times: number): void {
    this.#entries.unshift({ where, fault, left: times });
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /** Faults that were to happen a number of times and have not happened so often. */
  get waiting(): readonly (string | RegExp)[] {
    return this.#entries.filter(({ left }) => left > 0 && Number.isFinite(left)).map(({ where }) => where);
  }

  /** The fault for this request, counted as used. */
  take(path: string): Fault | undefined {
    const matches = (where: string | RegExp): boolean =>
      typeof where === "string" ? where === path : where.test(path);
    const entry = this.#entries.find(({ where, left }) => left > 0 && matches(where));
    if (entry !== undefined) entry.left -= 1;
    return entry?.fault;
  }
}

/** Sends `answer` the way `fault` says. */
export async function sendFaulty(response: ServerResponse, answer: StubAnswer, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case "status": {
      const refused = textAnswer(fault.status, fault.body ?? `stub: ${fault.status}\n`);
      send(response, { ...refused, headers: { ...refused.headers, ...fault.headers } });
      return;
    }
    case "html": {
      const page = Buffer.from("<!DOCTYPE html><html><body>Please sign in</body></html>\n");
      send(response, { status: 200, headers: { "content-type": fault.contentType ?? "text/html" }, body: page });
      return;
    }
    case "delay":
      await passed(fault.ms);
      send(response, answer);
      return;
    case "stall":
      begin(response, answer, fault.after);
      return;
    case "reset":
      begin(response, answer, fault.after);
      // The bytes must have been read before the connection breaks: a reset throws away what waits to be.
      await passed(fault.after === undefined ? 0 : fault.after < largeBytes ? 50 : 500);
      response.socket?.resetAndDestroy();
      return;
    case "truncate":
      begin(response, answer, fault.after);
      response.socket?.end();
      return;
    case "drip":
      begin(response, answer, fault.after);
      for (const byte of answer.body.subarray(fault.after)) {
        await passed(1000);
        if (response.destroyed) return;
        response.write(Uint8Array.of(byte));
      }
      response.end();
      return;
    case "endless":
      await sendWithoutEnd(response, answer, fault);
      return;
    case "raw":
      response.socket?.end(fault.raw(answer));
      return;
    case "bytes":
    case "edit":
      send(response, answer);
      return;
    case "redirect":
      send(response, { status: 302, headers: { location: fault.location }, body: Buffer.alloc(0) });
      return;
  }
}

/** The body that a fault puts in place of the right one. */
export function spoilt(answer: StubAnswer, fault: Fault | undefined): StubAnswer {
  if (fault?.kind === "bytes") return { ...answer, body: Buffer.from(fault.body) };
  return fault?.kind === "edit" ? { ...answer, body: fault.edit(answer.body) } : answer;
}

/** An answer in raw bytes, with just these header lines. */
export function rawAnswer(lines: readonly string[], body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n")), body]);
}

/** From this size on a body takes more than a moment to be read. */
const largeBytes = 64 << 10;

async function sendWithoutEnd(
  response: ServerResponse,
  answer: StubAnswer,
  { most, onMost }: { readonly most: number; readonly onMost: () => void },
): Promise<void> {
  response.writeHead(200, answer.headers);
  const piece = Buffer.alloc(largeBytes, answer.body);
  for (let sent = 0; sent < most; sent += piece.length) {
    const isGone = await new Promise((resolve) =>
      response.write(piece, (error) => resolve(error !== null && error !== undefined)),
    );
    if (isGone) return;
  }
  onMost();
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function send(response: ServerResponse, answer: StubAnswer): void {
  response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
  response.end(answer.body);
}

export function textAnswer(status: number, body: string): StubAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(body) };
}

function begin(response: ServerResponse, answer: StubAnswer, bytes: number | undefined): void {
  if (bytes === undefined) return;
  response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
  response.write(answer.body.subarray(0, bytes));
}
