import assert from "node:assert/strict";
import { test } from "node:test";
import { Urgency } from "./urgency.ts";

test("whoever waits for it makes it urgent, once; who listens hears it once, unless taken back", () => {
  const urgency = new Urgency(false);
  const heard: string[] = [];
  urgency.onLift(() => heard.push("a"));
  urgency.onLift(() => heard.push("b"))();
  assert.equal(urgency.isUrgent, false);
  urgency.lift();
  urgency.lift();
  urgency.onLift(() => heard.push("late"));
  assert.deepEqual([urgency.isUrgent, heard], [true, ["a"]]);
});
