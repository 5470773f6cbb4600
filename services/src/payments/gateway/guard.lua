-- The one Redis call of a request: sliding-window rate limit, and whether the session has been revoked.
--
-- KEYS  1 window of the client address   2 mark that the revocations here are complete   3 revocation (optional)
-- ARGV  1 limit   2 window in ms
-- Reply {allowed 0|1, remaining, ms until the window ends, ms until the next is allowed, revoked 0|1, or -1: unknown}
--
-- The window begins with the first request, so a fresh client gets its limit exactly; later windows count the
-- share of the one before that still lies within the last `window` ms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])

local start, current, previous = now, 0, 0
local stored = redis.call('GET', KEYS[1])
if stored then
  local a, b, c = string.match(stored, '^(%d+) (%d+) (%d+)$')
  start, current, previous = tonumber(a), tonumber(b), tonumber(c)
  local passed = math.floor((now - start) / window)
  if passed == 1 then
    start, current, previous = start + window, 0, current
  elseif passed ~= 0 then
    start, current, previous = now, 0, 0
  end
end

local ends = start + window - now
local used = current + previous * ends / window
local allowed, wait = 0, 0
if used + 1 <= limit then
  allowed, current, used = 1, current + 1, used + 1
  redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f', start, current, previous), 'PX', ends + window)
elseif current + 1 <= limit then
  wait = ends - window * (limit - 1 - current) / previous
else
  wait = ends + window * (1 - (limit - 1) / current)
end

local revoked = 0
if KEYS[3] then
  if redis.call('EXISTS', KEYS[2]) == 0 then
    revoked = -1
  else
    revoked = redis.call('EXISTS', KEYS[3])
  end
end
return {allowed, math.max(0, math.floor(limit - used)), math.ceil(ends), math.ceil(wait), revoked}
