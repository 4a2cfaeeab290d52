"""Scripts that store what the models say of an item only where it supersedes what is stored.

Each names keys of one item, or the keys beside one vector set, which have one hash tag, so that it
works on a Redis Cluster.
"""

from app.store.scripts import Script

# What a verdict supersedes: the verdict before it; and the text that it is about.
VERDICT_FIELDS = ("text_hash", "vector_model", "judge")
TEXT_FIELDS = ("title", "category", "brand", "deleted")

# ARGV: the values of these fields as they were read, whether the list of similar items goes, then
# fields and values.
WRITE = Script(
    """
local fields = {'text_hash', 'vector_model', 'judge', 'title', 'category', 'brand', 'deleted'}
local stored = redis.call('HMGET', KEYS[1], unpack(fields))
for at = 1, 7 do
  if (stored[at] or '') ~= ARGV[at] then return 0 end
end
redis.call('HSET', KEYS[1], unpack(ARGV, 9))
if ARGV[8] == '1' then
  redis.call('DEL', KEYS[2])
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'similar_at', time[1] * 1000000 + time[2])
end
return 1
""",
    keys=2,
)
# The same without the text, which a store that is being restored may not have yet.
REMEMBER = Script(
    """
local stored = redis.call('HMGET', KEYS[1], 'text_hash', 'vector_model', 'judge')
for at = 1, 3 do
  if (stored[at] or '') ~= ARGV[at] then return 0 end
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
return 1
""",
    keys=1,
)
# ARGV: the fields to remove, if the item is not there (again).
CLEAR = Script(
    """
if redis.call('HGET', KEYS[1], 'deleted') == '0' then return 0 end
redis.call('HDEL', KEYS[1], unpack(ARGV))
redis.call('DEL', KEYS[2])
return 1
""",
    keys=2,
)

# Replies of PUT and REMOVE. MOVED: another model's vectors are in this set by now. LACKING: the set
# lacks the vector.
REFUSED, DONE, MOVED, LACKING = range(4)

# The mark of an element: the revision of its last write, or when it was removed. That is kept for a
# day, so that no write from before brings it back.
_MARK = """
local function mark()
  local stored = redis.call('VGETATTR', KEYS[1], ARGV[1])
  if stored then return string.match(stored, '^{"revision":"(%w+)"') or '', true end
  return redis.call('ZSCORE', KEYS[2], ARGV[1]) or '', false
end
"""
# KEYS: the set, its removed items. ARGV: the item.
MARK = Script(_MARK + "return (mark())", keys=2)
# KEYS: the set, its removed items, the name of the model whose set is shown. ARGV: the item, the
# mark that is superseded, whether the set is the one that is shown, the model, attributes (of which
# the first is the revision of this write), and the vector, or nothing where it is the same. VADD
# without its own CAS: Redis 8.2 does not start again from an append-only file that has it.
PUT = Script(
    _MARK
    + f"""
local shown = redis.call('GET', KEYS[3])
if (not shown or shown == ARGV[4]) ~= (ARGV[3] == '1') then return {MOVED} end
local found, is_there = mark()
if found ~= ARGV[2] then return {REFUSED} end
if ARGV[6] ~= '' then
  redis.call('VADD', KEYS[1], 'FP32', ARGV[6], ARGV[1], 'Q8', 'SETATTR', ARGV[5])
elseif is_there then
  redis.call('VSETATTR', KEYS[1], ARGV[1], ARGV[5])
else
  return {LACKING}
end
redis.call('ZREM', KEYS[2], ARGV[1])
return {DONE}
""",
    keys=3,
)
# KEYS: the set, its removed items. ARGV: the item, the mark that is superseded.
REMOVE = Script(
    _MARK
    + f"""
local found, is_there = mark()
if found ~= ARGV[2] then return is_there and {REFUSED} or {DONE} end
redis.call('VREM', KEYS[1], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 86400000000)
return {DONE}
""",
    keys=2,
)
# KEYS: the whole set, the one that is shown, the name of the model whose set is shown. ARGV: the
# model that was shown, and the one that takes over. With an empty catalogue there is no whole set.
TAKE_OVER = Script(
    """
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[2])
else
  redis.call('UNLINK', KEYS[2])
end
redis.call('SET', KEYS[3], ARGV[2])
return 1
""",
    keys=3,
)
