// An HTTP CONNECT tunnel through an egress proxy, as go opens one for https (RFC 9110 §9.3.6).

import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TlsFailed, TlsPlace } from "#services/analysers/ports.ts";

/** The head of a proxy's answer; more is none. */
const maxHeadBytes = 16 * 1024;

type Tunnel = TlsPlace & { readonly proxy: string; readonly timeoutMs: number };

/** The connection behind the proxy, or why there is none. */
export function openTunnel({ proxy, host, port, timeoutMs }: Tunnel, signal: AbortSignal): Promise<Socket | TlsFailed> {
  const url = new URL(proxy);
  const at = {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || (url.protocol === "https:" ? 443 : 80)),
  };
  return new Promise((resolve, reject) => {
    const socket = url.protocol === "https:" ? connectTls({ ...at, servername: at.host }) : connect(at);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    let head = "";
    const fail = (text: string): void => {
      limit.removeEventListener("abort", stop);
      socket.destroy();
      resolve({ kind: "failed", stage: "proxy", reason: "proxy", text: text.slice(0, 200) });
    };
    const stop = (): void => {
      if (signal.aborted) {
        socket.destroy();
        reject(signal.reason as Error);
      } else fail(`no answer in ${timeoutMs} ms`);
    };
    limit.addEventListener("abort", stop, { once: true });
    const onData = (chunk: Buffer): void => {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0 && head.length > maxHeadBytes) fail("an answer without end");
      if (end < 0) return;
      const [status = ""] = head.split("\r\n", 1);
      if (!/^HTTP\/1\.[01] 2\d\d\b/.test(status)) {
        fail(status);
        return;
      }
      limit.removeEventListener("abort", stop);
      socket.removeListener("data", onData);
      socket.pause();
      resolve(socket);
    };
    socket.on("data", onData);
    socket.on("error", (error: Error) => fail(error.message));
    socket.once("close", () => fail("the proxy hung up"));
    socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () =>
      socket.write(question(url, `${host.includes(":") ? `[${host}]` : host}:${port}`)),
    );
  });
}

function question({ username, password }: URL, target: string): string {
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const proof = username === "" && password === "" ? "" : `Proxy-Authorization: Basic ${credentials}\r\n`;
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${proof}\r\n`;
}
