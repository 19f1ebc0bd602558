// What Redis does in one step. Every script gets its keys as keys, and they are in one slot, so that a cluster runs it too.

import { createHash } from "node:crypto";

export type Script = { readonly text: string; readonly sha1: string };

function script(text: string): Script {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** Shows that scripts run, keys are written and messages are sent. KEYS: any of ours. ARGV: channel. */
export const probe = script(`
redis.call("SET", KEYS[1], "1", "PX", 1000)
return redis.call("PUBLISH", ARGV[1], "")
`);

/**
 * KEYS: turn, fence. ARGV: owner, lease in ms. The fence, or nil while another has the turn.
 *
 * A fence is at least the time: one that starts anew, after everything was wiped, is above those of before.
 */
export const takeTurn = script(`
local last = tonumber(redis.call("GET", KEYS[2]) or "") or 0
if not redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return false end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = last + 1
if not (fence >= now and fence < now + 2^40) then fence = now end
local text = string.format("%.0f", fence)
redis.call("SET", KEYS[2], text)
return text
`);

/** KEYS: turn. ARGV: owner, lease in ms. 1 when it was still ours. */
export const renewTurn = script(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])
`);

/** KEYS: turn. ARGV: owner, channel, name. 1 when it was still ours. */
export const endTurn = script(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[1])
redis.call("PUBLISH", ARGV[2], ARGV[3])
return 1
`);

/** KEYS: absence. What is said, and for how many milliseconds more. */
export const findAbsence = script(`
return {redis.call("GET", KEYS[1]), redis.call("PTTL", KEYS[1])}
`);

/**
 * KEYS: client. ARGV: requests a second, pause in ms. What is left of the pause (0: it passes), and the time it was judged at.
 *
 * The rule is that of services/access/limiter.ts. A list holds the times of the last requests that passed, oldest first, or
 * "P" and the end of the pause alone. It goes when it says nothing any more.
 */
export const admitRate = script(`
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, pause = tonumber(ARGV[1]), tonumber(ARGV[2])
local first = redis.call("LINDEX", KEYS[1], 0)
if first and string.sub(first, 1, 1) == "P" then
  local left = (tonumber(string.sub(first, 2)) or 0) - now
  if left > 0 and left <= pause then return {left, now} end
  redis.call("DEL", KEYS[1])
  first = false
end
local count = redis.call("LLEN", KEYS[1])
while count > limit do
  redis.call("LPOP", KEYS[1])
  count = count - 1
  first = redis.call("LINDEX", KEYS[1], 0)
end
if count == limit then
  local age = now - (tonumber(first) or 0)
  if age >= 0 and age < 1000 then
    redis.call("DEL", KEYS[1])
    redis.call("RPUSH", KEYS[1], "P" .. string.format("%.0f", now + pause))
    redis.call("PEXPIRE", KEYS[1], pause)
    return {pause, now}
  end
  redis.call("LPOP", KEYS[1])
end
redis.call("RPUSH", KEYS[1], string.format("%.0f", now))
redis.call("PEXPIRE", KEYS[1], 1000)
return {0, now}
`);

/** KEYS: index, node. ARGV: name, report, its life in ms. Nodes that are silent for so long leave the index. */
export const reportNode = script(`
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[3])
redis.call("ZADD", KEYS[1], now + ARGV[3], ARGV[1])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
return redis.call("PEXPIRE", KEYS[1], ARGV[3])
`);
