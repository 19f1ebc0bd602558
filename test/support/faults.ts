// What can go wrong with an upstream, as data: the stub upstream consults its fault table before every answer.
import type { ServerResponse } from "node:http";

/** A ready answer of the stub. */
export type StubAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly body?: string }
  /** A page instead of the answer, with status 200: captive portals, expired certificates of boxes in between. */
  | { readonly kind: "html" }
  | { readonly kind: "delay"; readonly ms: number }
  /** Headers and `after` bytes, then silence. Without `after` not even headers. */
  | { readonly kind: "stall"; readonly after?: number }
  /** Headers and `after` bytes, then a broken connection (RST). Without `after` not even headers. */
  | { readonly kind: "reset"; readonly after?: number }
  /** Promises the whole length, sends `after` bytes, closes in good order. */
  | { readonly kind: "truncate"; readonly after: number }
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
    case "status":
      send(response, textAnswer(fault.status, fault.body ?? `stub: ${fault.status}\n`));
      return;
    case "html": {
      const page = Buffer.from("<!DOCTYPE html><html><body>Please sign in</body></html>\n");
      send(response, { status: 200, headers: { "content-type": "text/html" }, body: page });
      return;
    }
    case "delay":
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      send(response, answer);
      return;
    case "stall":
      begin(response, answer, fault.after);
      return;
    case "reset":
      begin(response, answer, fault.after);
      // The bytes must be on the wire before the connection breaks.
      await new Promise((resolve) => setTimeout(resolve, fault.after === undefined ? 0 : 50));
      response.socket?.resetAndDestroy();
      return;
    case "truncate":
      begin(response, answer, fault.after);
      response.socket?.end();
      return;
    case "bytes":
      send(response, { ...answer, body: Buffer.from(fault.body) });
      return;
    case "edit":
      send(response, { ...answer, body: fault.edit(answer.body) });
      return;
    case "redirect":
      send(response, { status: 302, headers: { location: fault.location }, body: Buffer.alloc(0) });
      return;
  }
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
