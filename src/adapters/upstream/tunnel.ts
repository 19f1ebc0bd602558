// HTTP CONNECT (RFC 9110 §9.3.6): asks an egress proxy for a tunnel to an upstream, on a socket that leads to the proxy.

import type { Duplex } from "node:stream";

/** The header of a proxy's reply to CONNECT; squid sends some 100 bytes. */
const maxReplyBytes = 16 * 1024;

/** The egress proxy answered, and would not let us through. */
export class ProxyRefused extends Error {
  readonly code = "GRANARY_PROXY_REFUSED";
  /** What it answered, when that was HTTP. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export type TunnelRequest = {
  /** `host:port`, as CONNECT wants it. */
  readonly target: string;
  /** Its userinfo is sent as Basic credentials. */
  readonly proxy: URL;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Sent when given. */
  readonly userAgent?: string;
};

/** Resolves when bytes written to `socket` reach the target. Throws ProxyRefused, or what the socket throws. */
export async function openTunnel(socket: Duplex, request: TunnelRequest): Promise<void> {
  const { target, proxy, userAgent } = request;
  const credentials = proxyAuthorization(proxy);
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`];
  if (userAgent !== undefined) lines.push(`User-Agent: ${userAgent}`);
  if (credentials !== undefined) lines.push(`Proxy-Authorization: ${credentials}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const reply = await readReply(socket, request);
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(reply.split("\r\n")[0] ?? "") ?? [];
  if (status?.startsWith("2") === true) return;
  const said = status === undefined ? "something that is not HTTP" : status;
  throw new ProxyRefused(`the egress proxy ${proxy.host} answered ${said} to CONNECT ${target}`, Number(status));
}

/** The Proxy-Authorization of a proxy's userinfo, if it has any. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === "" && proxy.password === "") return undefined;
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** The reply's header. What follows it belongs to the tunnel and goes back. */
function readReply(socket: Duplex, { proxy, timeoutMs, signal }: TunnelRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (error: Error | undefined, reply = ""): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.off("readable", read).off("error", settle).off("end", ended);
      if (error === undefined) resolve(reply);
      else reject(error);
    };
    const read = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf("\r\n\r\n");
        if (end < 0 && seen.length <= maxReplyBytes) continue;
        if (end >= 0) {
          const rest = seen.subarray(end + 4);
          if (rest.length > 0) socket.unshift(rest);
          settle(undefined, seen.toString("latin1", 0, end));
        } else settle(new ProxyRefused(`the egress proxy ${proxy.host} sent a header without end`));
        return;
      }
    };
    const ended = (): void => settle(new ProxyRefused(`the egress proxy ${proxy.host} closed the connection`));
    const aborted = (): void => settle(signal.reason as Error);
    const late = `the egress proxy ${proxy.host} opened no tunnel within ${timeoutMs} ms`;
    const timer = setTimeout(() => settle(Object.assign(new Error(late), { code: "ETIMEDOUT" })), timeoutMs);
    signal.addEventListener("abort", aborted, { once: true });
    socket.on("readable", read).once("error", settle).once("end", ended);
  });
}
