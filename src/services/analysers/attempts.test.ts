import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runAttempts } from "./attempts.ts";
import type { Attempt, AttemptPlan } from "./attempts.ts";
import type { AttemptEnd } from "./run-ports.ts";
import { judgeOutput } from "./retry-verdict.ts";

const gateway = "go: a.example/m@v1: reading https://p.example/a.example/m/@v/v1.info: 502 Bad Gateway";
const plan: AttemptPlan = { retries: 3, waitMs: 2_000, timeoutMs: 600_000, stallMs: undefined };
const failed: AttemptEnd = { kind: "exit", code: 1 };

type Turn = readonly [end: AttemptEnd, tail: string];

async function play(turns: readonly Turn[], options: { plan?: Partial<AttemptPlan>; stopAt?: number } = {}) {
  const told: Attempt[] = [];
  const waits: number[] = [];
  let now = 0;
  let turn = 0;
  const end = await runAttempts(
    { ...plan, ...options.plan },
    {
      command: {
        run: () => {
          const [how, tail] = turns[Math.min(turn++, turns.length - 1)] ?? assert.fail();
          now += 1_000;
          return Promise.resolve({ end: how, tail });
        },
      },
      clock: {
        now: () => now,
        sleep: (ms) => {
          waits.push(ms);
          now += ms;
          return Promise.resolve(options.stopAt === waits.length ? "SIGINT" : undefined);
        },
      },
      tell: (attempt) => told.push(attempt),
    },
  );
  return { end, told, waits };
}

test("a failure that passes is repeated, each wait twice the one before", async () => {
  const { end, waits, told } = await play([
    [failed, gateway],
    [failed, gateway],
    [{ kind: "exit", code: 0 }, ""],
  ]);
  assert.deepEqual(waits, [2_000, 4_000]);
  assert.deepEqual(end, { kind: "exit", code: 0 });
  assert.deepEqual(told.map(({ attempt, of }) => [attempt, of]), [[1, 4], [2, 4], [3, 4]]); // prettier-ignore
});

test("repetitions end, and the command's own end is ours", async () => {
  const { end, waits } = await play([[{ kind: "exit", code: 7 }, gateway]]);
  assert.deepEqual([end, waits.length], [{ kind: "exit", code: 7 }, 3]);
});

test("no wait begins that would end after the time for everything", async () => {
  const { waits } = await play([[failed, gateway]], { plan: { timeoutMs: 5_000 } });
  assert.deepEqual(waits, [2_000]);
});

test("who counts requests is left alone for longer", async () => {
  const { waits } = await play([[failed, gateway.replace("502 Bad Gateway", "429 Too Many Requests")]], {
    plan: { retries: 1 },
  });
  assert.deepEqual(waits, [30_000]);
});

test("a silent attempt is repeated; one without time left is not", async () => {
  assert.equal((await play([[{ kind: "stalled" }, ""]])).waits.length, 3);
  assert.equal((await play([[{ kind: "timeout" }, ""]])).waits.length, 0);
});

test("told to stop while waiting, it stops", async () => {
  const { end } = await play([[failed, gateway]], { stopAt: 1 });
  assert.deepEqual(end, { kind: "stopped", signal: "SIGINT" });
});

suite("what is repeated", () => {
  const lines: readonly (readonly [boolean, string])[] = [
    [true, gateway],
    [true, "go: read tcp 10.0.0.5:1->1.2.3.4:443: read: connection reset by peer"],
    [true, 'go: a.example/m@v1: Get "https://p.example/x": EOF'],
    [true, 'go: Get "https://p.example/x": dial tcp 1.2.3.4:443: i/o timeout'],
    [true, 'go: Get "https://p.example/x": net/http: TLS handshake timeout'],
    [true, "stream error: stream ID 17; INTERNAL_ERROR; received from peer"],
    [true, `${gateway}\nmake: *** [x] Error 1`],
    [false, "go: a.example/m@v1: verifying module: checksum mismatch"],
    [false, `${gateway}\ngo: a.example/n@v1: verifying module: checksum mismatch`],
    [false, gateway.replace("502 Bad Gateway", "403 Forbidden")],
    [false, gateway.replace("502 Bad Gateway", "404 Not Found")],
    [false, gateway.replace("502 Bad Gateway", "500 Internal Server Error")],
    [false, "go: a.example/m@v1: module lookup disabled by GOPROXY=off"],
    [false, 'go: Get "https://p.example/x": dial tcp 127.0.0.1:1: connect: connection refused'],
    [false, "x.go:3:8: no required module provides package a.example/m; to add it:"],
    [false, "nothing that anybody knows"],
    [false, ""],
  ];
  for (const [repeat, text] of lines) test(text, () => assert.equal(judgeOutput(text).repeat, repeat));
});
