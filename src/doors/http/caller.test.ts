import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import test from "node:test";
import { callerOf, vouchFor } from "./caller.ts";
import type { Request } from "./send.ts";

/** A request as far as this file looks at it. */
function requestFrom(address: string, headers: IncomingHttpHeaders): Request {
  return { headers, socket: { remoteAddress: address } } as unknown as Request;
}

const own = { host: "127.0.0.1:8080" };

test("a client on this machine that asks this machine is a loopback caller", () => {
  for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "::1"])
    for (const host of ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080"])
      assert.equal(callerOf(requestFrom(address, { host })).loopback, true, `${address} ${host}`);
  assert.equal(callerOf(requestFrom("::1", { ":authority": "localhost:8443" })).loopback, true);
});

test("a reverse proxy on this machine brings strangers: they are no loopback callers, their tokens travel safely", () => {
  for (const name of ["x-forwarded-for", "x-real-ip", "forwarded", "via"]) {
    const caller = callerOf(requestFrom("127.0.0.1", { ...own, [name]: "203.0.113.7" }));
    assert.deepEqual([caller.loopback, caller.secure], [false, true], name);
  }
});

test("a web page whose name resolves to this machine is no loopback caller", () => {
  for (const host of ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", ""])
    assert.equal(callerOf(requestFrom("127.0.0.1", { host })).loopback, false, host);
  assert.equal(callerOf(requestFrom("127.0.0.1", {})).loopback, false);
});

test("a far client is far whatever its headers say, and what a worker vouches for counts", () => {
  const far = requestFrom("203.0.113.7", own);
  assert.deepEqual([callerOf(far).loopback, callerOf(far).secure], [false, false]);
  const relayed = requestFrom("", own);
  vouchFor(relayed, { address: "127.0.0.1", secure: false });
  assert.equal(callerOf(relayed).loopback, true);
});
