// Bytes to a server and whatever comes back until it closes: for requests that no client library would send.
import { connect } from "node:net";

export type RawAnswer = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

/** Past this the server holds a connection that it should have ended. */
const patienceMs = 20_000;

/** Sends `text` (latin1) and reads until the server closes. Throws when it does not. */
export function converse(url: string, text: string): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection stays open after ${JSON.stringify(text.slice(0, 200))}`));
    }, patienceMs);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A reset is an end as well.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    socket.write(Buffer.from(text, "latin1"));
  });
}

/** The answers in `bytes`, one after another, by their Content-Length; 1xx left out. */
export function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let text = bytes.toString("latin1");
  while (text !== "") {
    const end = text.indexOf("\r\n\r\n");
    const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? Number.NaN);
    if (end < 0 || Number.isNaN(status)) throw new Error(`not HTTP: ${JSON.stringify(text.slice(0, 300))}`);
    const headers = new Map(lines.map((line) => splitHeader(line)));
    const rest = text.slice(end + 4);
    const [body, length] = status < 200 ? ["", 0] : bodyOf(rest, headers);
    if (status >= 200) answers.push({ status, headers, body });
    text = rest.slice(length);
  }
  return answers;
}

/** The body at the start of `text`, and how much of `text` it takes. */
function bodyOf(text: string, headers: ReadonlyMap<string, string>): readonly [string, number] {
  if (headers.get("transfer-encoding") !== "chunked") {
    const body = text.slice(0, Number(headers.get("content-length") ?? 0));
    return [body, body.length];
  }
  let body = "";
  for (let at = 0; ;) {
    const line = /^([0-9a-f]+)\r\n/i.exec(text.slice(at));
    if (line === null) throw new Error(`not a chunk: ${JSON.stringify(text.slice(at, at + 100))}`);
    const size = parseInt(line[1] ?? "", 16);
    const start = at + line[0].length;
    body += text.slice(start, start + size);
    at = start + size + 2;
    if (size === 0) return [body, at];
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
