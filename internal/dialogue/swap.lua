-- Replaces a dialogue if it still is where the caller saw it.
-- KEYS[1]: the dialogue. ARGV: the mark that was seen, the new text ('' removes), the milliseconds to keep it.
local text = redis.call('GET', KEYS[1])
if not text or cjson.decode(text).mark ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
