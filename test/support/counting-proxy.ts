// A plain HTTP proxy before one server, which counts what passes: method and path of each request.
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { atEnd } from "./at-end.ts";

export type CountingProxy = {
  readonly url: string;
  /** `GET /bucket/key`, in the order of arrival. */
  readonly seen: string[];
};

/** The Host header is passed on as it came: what is signed stays signed. */
export async function startCountingProxy(t: Pick<TestContext, "after">, target: string): Promise<CountingProxy> {
  const seen: string[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((from, to) => {
    const { method = "", url = "", headers } = from;
    seen.push(`${method} ${url}`);
    const on = request({ host: hostname, port, method, path: url, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
      answer.on("error", () => to.destroy());
    });
    on.on("error", () => to.destroy());
    from.pipe(on);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  atEnd(t, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
