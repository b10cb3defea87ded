-- Takes one token from every bucket, or from none (generic cell rate algorithm).
-- KEYS: the buckets. ARGV: for each the microseconds in which a token grows back (0: a gate, whose key
-- says until when it is closed) and the burst. Returns the microseconds to wait; 0 means taken.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local wait = 0
local full_at = {}

for i, key in ipairs(KEYS) do
  local every = tonumber(ARGV[2 * i - 1])
  local burst = tonumber(ARGV[2 * i])
  local over
  if every == 0 then
    over = tonumber(redis.call('GET', key) or now) - now
  else
    local at = tonumber(redis.call('GET', key) or now)
    if at < now then at = now end
    full_at[i] = at + every
    over = full_at[i] - now - every * burst
  end
  if over > wait then wait = over end
end

if wait == 0 then
  for i, at in pairs(full_at) do
    redis.call('SET', KEYS[i], string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
  end
end
return math.ceil(wait)
