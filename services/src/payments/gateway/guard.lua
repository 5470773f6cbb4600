-- The one Redis call of a request: sliding-window rate limits, and whether the session has been revoked.
--
-- KEYS  1 mark that the revocations here are complete   2..n+1 windows, the client address's first   further: revocations
-- ARGV  1 window in ms   2 n   3.. limit of each window
-- Reply {allowed 0|1, remaining, ms until the window ends, ms until the next is allowed, revoked 0|1, or -1: unknown,
--        limit}, all of the window that allows least
--
-- A window begins with the first request, so a fresh client gets its limit exactly; later windows count the
-- share of the one before that still lies within the last `window` ms. A request counts in all its windows or,
-- when one of them refuses it, in none. One with a revoked token counts for its address alone.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, n = tonumber(ARGV[1]), tonumber(ARGV[2])

local revoked = 0
if #KEYS > n + 1 then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    revoked = -1
  elseif redis.call('EXISTS', unpack(KEYS, n + 2)) > 0 then
    revoked, n = 1, 1
  end
end

local function look(key, limit)
  local start, current, previous = now, 0, 0
  local stored = redis.call('GET', key)
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
  local wait = 0
  if used + 1 > limit then
    if current + 1 <= limit then
      wait = ends - window * (limit - 1 - current) / previous
    else
      wait = ends + window * (1 - (limit - 1) / current)
    end
  end
  return {start = start, current = current, previous = previous, ends = ends, left = limit - used, limit = limit, wait = wait}
end

local windows, tightest, allowed = {}, nil, 1
for i = 1, n do
  local w = look(KEYS[i + 1], tonumber(ARGV[i + 2]))
  windows[i] = w
  if w.left < 1 then allowed = 0 end
  if not tightest or w.wait > tightest.wait or (w.wait == tightest.wait and w.left < tightest.left) then tightest = w end
end
if allowed == 1 then
  for i = 1, n do
    local w = windows[i]
    w.left = w.left - 1
    redis.call('SET', KEYS[i + 1], string.format('%.0f %.0f %.0f', w.start, w.current + 1, w.previous), 'PX', w.ends + window)
  end
end
return {allowed, math.max(0, math.floor(tightest.left)), math.ceil(tightest.ends), math.ceil(tightest.wait), revoked, tightest.limit}
