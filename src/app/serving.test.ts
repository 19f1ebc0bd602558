import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { hearStops } from "./serving.ts";

suite("requests to stop", () => {
  test("those that come before anybody listens are told later, each once", async () => {
    let ask = (): void => assert.fail("nobody listens");
    let isOff = false;
    const stops = hearStops((stop) => {
      ask = stop;
      return () => void (isOff = true);
    });
    ask();
    ask();
    let heard = 0;
    const off = stops.onStop(() => {
      heard++;
    });
    assert.equal(heard, 0, "who listens has its way to leave first");
    await Promise.resolve();
    assert.equal(heard, 2);
    ask();
    assert.equal(heard, 3);
    off();
    assert.ok(isOff);
  });
});
