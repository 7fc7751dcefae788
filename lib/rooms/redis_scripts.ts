/**
 * The operations on a room inside Redis: one Lua script for each, so that each is atomic and takes
 * one round trip. They follow the rules of room.ts (a property holds the two equal), use Redis'
 * clock, and address every event to the connection that held the seat at that time.
 *
 * All keys of a room share the hash tag `{room}`, those of the digits `{codes}`, the list of rooms
 * `{rooms}`. A script uses keys of one tag only, as a cluster requires.
 *
 *     img:{ROOM}:room      hash     own, join, endsAt, code, met;
 *                                   for each seat: salt, rtok, before, conn, at, leaseAt, lostAt
 *     img:{ROOM}:events    stream   to (conn), event (JSON); deleted once read
 *     img:{codes}:taken    sorted   digits → when they are free again
 *     img:{codes}:NNNN     string   the room that the digits lead to
 *     img:{rooms}:look     sorted   room → when its deadlines have to be checked
 *     img:bell:INSTANCE    channel  a conn that has new events in its room's stream
 *
 * A seat without `rtok` is empty. It is up if it has `conn` and no `lostAt`, and lost if it has
 * `lostAt`. If it was lost because its lease ran out, `conn` stays, so that the instance can take
 * it back. Every key has a time to live from the start.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { MAX_TTL_S } from "../protocol/limits.ts";
import type { RedisLimits, StoreLimits } from "./limits.ts";

/** A Lua script with its SHA-1, by which Redis caches it. */
export interface Script {
  readonly lua: string;
  /** SHA-1 of the text, in hex. */
  readonly sha: string;
}

/** The scripts of a store. A comment at each lists its arguments and results. */
export type Scripts = { readonly [name in keyof ReturnType<typeof sources>]: Script };

/** Names of the keys. */
export const KEY = {
  room: (room: string): string => `img:{${room}}:room`,
  events: (room: string): string => `img:{${room}}:events`,
  code: (digits: string): string => `img:{codes}:${digits}`,
  codes: "img:{codes}:taken",
  rooms: "img:{rooms}:look",
  bell: (instance: string): string => `img:bell:${instance}`,
} as const;

/**
 * How long a room's keys outlive it, in ms. In this time an instance that missed the notification
 * of its end can still read it, and the script that applies a deadline runs before the key expires.
 */
const TAIL_MS = 20_000;

/**
 * How long a due room is hidden from other instances while one of them checks its deadlines, in ms.
 */
const LOOK_AGAIN_MS = 5_000;

/** Milliseconds by Redis' clock, as a Lua expression. */
export const REDIS_NOW =
  "(function(t) return t[1] * 1000 + math.floor(t[2] / 1000) end)(redis.call('TIME'))";

/** Creates the scripts for a store with these limits; the Lua expression `now` is the clock. */
export function redisScripts(limits: StoreLimits & RedisLimits, now: string): Scripts {
  const made: Record<string, Script> = {};
  for (const [name, lua] of Object.entries(sources(limits, now))) {
    made[name] = { lua, sha: createHash("sha1").update(lua).digest("hex") };
  }
  return made as Scripts;
}

/** `text` writes numbers out: Lua would turn a time into 1.7e+12. */
function prelude(now: string): string {
  return `
local now = ${now}
local function text(number) return string.format('%.0f', number) end
`;
}

function roomPrelude(limits: StoreLimits & RedisLimits, now: string): string {
  const { graceMs, leaseMs, maxQueued } = limits;
  return `${prelude(now)}
local roomKey, eventsKey = KEYS[1], KEYS[2]
local conn, at = ARGV[1], ARGV[2]
local OTHER = { sender = 'viewer', viewer = 'sender' }
local ended, freed = 0, ''
local room = {}
do
  local flat = redis.call('HGETALL', roomKey)
  for i = 1, #flat, 2 do room[flat[i]] = flat[i + 1] end
end

local function exists() return room.endsAt ~= nil end
local function taken(seat) return room[seat .. '.rtok'] ~= nil end
local function up(seat) return taken(seat) and not room[seat .. '.lostAt'] end
local function owns(seat) return conn ~= '' and room[seat .. '.conn'] == conn end
local function holds(seat) return owns(seat) and up(seat) end

local function set(field, value)
  room[field] = value
  redis.call('HSET', roomKey, field, value)
end
local function drop(...)
  for _, field in ipairs({...}) do room[field] = nil end
  redis.call('HDEL', roomKey, ...)
end

local function tell(seat, event)
  local to = room[seat .. '.conn']
  if not to then return end
  redis.call('XADD', eventsKey, 'MAXLEN', ${2 * maxQueued}, '*', 'to', to, 'event', event)
  local rest = math.max(room.endsAt - now, 0) + ${TAIL_MS}
  redis.call('PEXPIRE', eventsKey, text(math.min(rest, ${leaseMs + graceMs + TAIL_MS})))
  redis.call('PUBLISH', '${KEY.bell("")}' .. room[seat .. '.at'], to)
end
local function tellPeer(seat, up, by)
  tell(seat, '{"t":"peer","up":' .. tostring(up) .. ',"by":"' .. by .. '"}')
end

-- Deletes the events that this connection has not read.
local function forget(to)
  for _, entry in ipairs(redis.call('XRANGE', eventsKey, '-', '+')) do
    if entry[2][2] == to then redis.call('XDEL', eventsKey, entry[1]) end
  end
  if redis.call('XLEN', eventsKey) == 0 then redis.call('DEL', eventsKey) end
end

local function empty(seat)
  drop(
    seat .. '.rtok', seat .. '.before', seat .. '.conn',
    seat .. '.at', seat .. '.leaseAt', seat .. '.lostAt')
end
local function emptyViewer()
  empty('viewer')
  drop('viewer.salt')
  tellPeer('sender', false, 'leave')
end
local function finish(why)
  local event = '{"t":"gone","why":"' .. why .. '"}'
  tell('sender', event)
  tell('viewer', event)
  redis.call('PEXPIRE', eventsKey, ${TAIL_MS})
  redis.call('DEL', roomKey)
  ended, freed = 1, room.code or ''
  room = {}
end

local function take(seat, rtok, before)
  tell(seat, '{"t":"superseded"}')
  if taken(seat) then empty(seat) end
  set(seat .. '.rtok', rtok)
  if before then set(seat .. '.before', before) end
  set(seat .. '.conn', conn)
  set(seat .. '.at', at)
  set(seat .. '.leaseAt', text(now + ${leaseMs}))
end
local function introduce(seat)
  local other = OTHER[seat]
  if not up(other) then
    tellPeer(seat, false, taken(other) and 'lost' or 'leave')
    return
  end
  local by = room.met == '1' and 'resume' or 'join'
  set('met', '1')
  tellPeer(seat, true, by)
  tellPeer(other, true, by)
end

-- Before applying deadlines: the caller is alive, however long Redis was unavailable.
for _, seat in ipairs({ 'sender', 'viewer' }) do
  if holds(seat) then set(seat .. '.leaseAt', text(now + ${leaseMs})) end
end
local function settle()
  if not exists() then return end
  if now >= tonumber(room.endsAt) then return finish('expired') end
  for _, seat in ipairs({ 'sender', 'viewer' }) do
    if up(seat) and now >= tonumber(room[seat .. '.leaseAt']) then
      set(seat .. '.lostAt', text(now))
      tellPeer(OTHER[seat], false, 'lost')
    end
  end
  local function over(seat)
    local lostAt = room[seat .. '.lostAt']
    return lostAt and now >= lostAt + ${graceMs}
  end
  if over('sender') then finish('lost')
  elseif over('viewer') then emptyViewer() end
end
settle()
-- Restores a seat whose lease had run out, if nobody took it meanwhile.
for _, seat in ipairs({ 'sender', 'viewer' }) do
  if owns(seat) and not up(seat) then
    drop(seat .. '.lostAt')
    set(seat .. '.leaseAt', text(now + ${leaseMs}))
    introduce(seat)
  end
end

local function isSender(seat) return seat == 'sender' and holds('sender') end
local function seated(seat)
  local exp = math.ceil((room.endsAt - now) / 1000)
  return { ended, freed, seat, exp, room[seat .. '.salt'], room.code or '' }
end
`;
}

/**
 * The scripts of a room take KEYS room, events and ARGV conn, instance, … Their first results are 1
 * if the room ended meanwhile (otherwise 0), and the digits that no longer lead to it, or '': the
 * instance then cleans up what other keys say about them. The comment at each script lists the
 * remaining arguments and results. Those that are named for a SeatOperation take its seat and
 * answer 1 if it was done, otherwise 0.
 */
function sources(limits: StoreLimits & RedisLimits, now: string) {
  const plain = prelude(now);
  const room = roomPrelude(limits, now);
  const { codeRestMs, maxCodes } = limits;
  return {
    // rtok, own, join, ttl in ms or '' for an existing room only, code or '', salt → seat, exp,
    // salt, code, 1 if it was made | 'refused' | 'none'
    create: `${room}
local rtok, own, join, ttl, code, salt = unpack(ARGV, 3, 8)
if exists() then
  if room.own ~= own or room.join ~= join then return { ended, freed, 'refused' } end
  set('met', '0')
  take('sender', rtok)
  if taken('viewer') then introduce('sender') end
  return seated('sender')
end
if ttl == '' then return { ended, freed, 'none' } end
set('own', own)
set('join', join)
set('endsAt', text(now + ttl))
set('met', '0')
set('sender.salt', salt)
if code ~= '' then set('code', code) end
redis.call('PEXPIRE', roomKey, text(ttl + ${TAIL_MS}))
take('sender', rtok)
local answer = seated('sender')
answer[#answer + 1] = 1
return answer`,

    // rtok, join or '', code or '', salt → seat, exp, salt, code | 'refused'
    join: `${room}
local rtok, join, code, salt = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local entitled
if code ~= '' then entitled = room.code == code and join == '' else entitled = room.join == join end
if not exists() or not entitled or taken('viewer') then return { ended, freed, 'refused' } end
set('met', '0')
set('viewer.salt', salt)
take('viewer', rtok)
introduce('viewer')
return seated('viewer')`,

    // rtok, old rtok, code or '' → seat, exp, salt, code | 'refused'
    resume: `${room}
local rtok, old, code = ARGV[3], ARGV[4], ARGV[5]
if not exists() or (code ~= '' and room.code ~= code) then return { ended, freed, 'refused' } end
for _, seat in ipairs({ 'sender', 'viewer' }) do
  if room[seat .. '.rtok'] == old or room[seat .. '.before'] == old then
    take(seat, rtok, old)
    introduce(seat)
    return seated(seat)
  end
end
return { ended, freed, 'refused' }`,

    // seat
    confirm: `${room}
local seat = ARGV[3]
if not holds(seat) then return { ended, freed, 0 } end
drop(seat .. '.before')
return { ended, freed, 1 }`,

    // seat, event
    relay: `${room}
local seat, event = ARGV[3], ARGV[4]
local other = OTHER[seat]
if not holds(seat) or not up(other) then return { ended, freed, 0 } end
if redis.call('XLEN', eventsKey) >= ${limits.maxQueued} then return { ended, freed, 0 } end
tell(other, event)
return { ended, freed, 1 }`,

    // seat
    lose: `${room}
local seat = ARGV[3]
if not holds(seat) then return { ended, freed, 0 } end
drop(seat .. '.conn', seat .. '.at', seat .. '.leaseAt')
set(seat .. '.lostAt', text(now))
forget(conn)
tellPeer(OTHER[seat], false, 'lost')
return { ended, freed, 1 }`,

    // seat
    leave: `${room}
local seat = ARGV[3]
if not holds(seat) then return { ended, freed, 0 } end
if seat == 'sender' then finish('deleted') else
  forget(conn)
  emptyViewer()
end
return { ended, freed, 1 }`,

    // seat, own
    delete: `${room}
if not isSender(ARGV[3]) or room.own ~= ARGV[4] then return { ended, freed, 0 } end
finish('deleted')
return { ended, freed, 1 }`,

    // seat
    dismiss: `${room}
if not isSender(ARGV[3]) then return { ended, freed, 0 } end
if taken('viewer') then
  tell('viewer', '{"t":"dismissed"}')
  emptyViewer()
end
return { ended, freed, 1 }`,

    // seat
    withdraw: `${room}
if not isSender(ARGV[3]) then return { ended, freed, 0 } end
freed = room.code or ''
drop('code')
return { ended, freed, 1 }`,

    // ids of events that were read, … → 'held' | 'fenced' | 'unknown', then id, event, …: the
    // unread events
    tend: `${room}
if #ARGV > 2 then
  redis.call('XDEL', eventsKey, unpack(ARGV, 3))
  if redis.call('XLEN', eventsKey) == 0 then redis.call('DEL', eventsKey) end
end
local status = (owns('sender') or owns('viewer')) and 'held' or exists() and 'fenced' or 'unknown'
local answer = { ended, freed, status }
for _, entry in ipairs(redis.call('XRANGE', eventsKey, '-', '+')) do
  if entry[2][2] == conn then
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2][4]
  end
end
return answer`,

    // → ms until the next deadline, or -1 if there is no room
    look: `${room}
if not exists() then return { ended, freed, -1 } end
local next = tonumber(room.endsAt)
for _, seat in ipairs({ 'sender', 'viewer' }) do
  if taken(seat) then
    local lostAt = room[seat .. '.lostAt']
    next = math.min(
      next, lostAt and lostAt + ${limits.graceMs} or tonumber(room[seat .. '.leaseAt']))
  end
end
return { ended, freed, next - now }`,

    // KEYS rooms; ARGV room, ms until its first deadline, rooms that may exist → 1, or 0 if they do
    admit: `${plain}
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
  and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], text(now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${MAX_TTL_S * 1_000 + TAIL_MS})
return 1`,

    // KEYS rooms; ARGV how many → rooms that are due
    due: `${plain}
local rooms = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[1])
for _, room in ipairs(rooms) do redis.call('ZADD', KEYS[1], text(now + ${LOOK_AGAIN_MS}), room) end
return rooms`,

    // KEYS rooms; ARGV room, ms until its next deadline or -1
    lookAt: `${plain}
if tonumber(ARGV[2]) < 0 then redis.call('ZREM', KEYS[1], ARGV[1])
else redis.call('ZADD', KEYS[1], 'XX', text(now + ARGV[2]), ARGV[1]) end
return 1`,

    // KEYS codes → number of codes that are live or resting
    countCodes: `${plain}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
return redis.call('ZCARD', KEYS[1])`,

    // KEYS codes, a key for each candidate; ARGV room, ttl in ms, candidates … → digits, or ''
    drawCode: `${plain}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
if redis.call('ZCARD', KEYS[1]) >= ${maxCodes} then return '' end
for i = 2, #KEYS do
  if redis.call('ZADD', KEYS[1], 'NX', text(now + ARGV[2] + ${codeRestMs}), ARGV[i + 1]) == 1 then
    redis.call('SET', KEYS[i], ARGV[1], 'PX', text(ARGV[2] + ${TAIL_MS}))
    redis.call('PEXPIRE', KEYS[1], ${MAX_TTL_S * 1_000 + codeRestMs + TAIL_MS})
    return ARGV[i + 1]
  end
end
return ''`,

    // KEYS the code's → room or nothing
    findCode: `return redis.call('GET', KEYS[1])`,

    // KEYS codes, the code's; ARGV room, digits, 1 to let them rest, 0 to free them (nobody saw
    // them)
    retireCode: `${plain}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[3] == '0' then redis.call('ZREM', KEYS[1], ARGV[2])
else redis.call('ZADD', KEYS[1], 'XX', text(now + ${codeRestMs}), ARGV[2]) end
return 1`,
  };
}
