-- Answers that were given: those that stand until the daemon's stream of changes says otherwise, and the last ones,
-- for a while in which the daemon can't be asked.

local new_cache = require "util.cache".new;
local now = require "util.time".monotonic or require "util.time".now;

local answers = {};
answers.__index = answers;

local function new(size, is_kept)
	local self = setmetatable({ of_name = {}, is_followed = false, is_kept = is_kept }, answers);
	self.last = new_cache(size);
	self.current = new_cache(size, function (key, entry) self:unlist(key, entry); end);
	return self;
end

function answers:unlist(key, entry)
	for _, name in ipairs(entry.names) do
		local keys = self.of_name[name];
		if keys then
			keys[key] = nil;
			if next(keys) == nil then self.of_name[name] = nil; end
		end
	end
end

-- The answer that stands; none while nobody would say that it no longer does.
function answers:standing(key)
	if not self.is_followed then return nil; end
	local entry = self.current:get(key);
	return entry and entry.answer;
end

-- The last answer, if it is no older than so many seconds.
function answers:recent(key, seconds)
	local entry = self.last:get(key);
	return entry and now() - entry.at <= seconds and entry.answer or nil;
end

-- Keeps an answer. One that was asked for before a change may be older than that: `epoch` is what `self.epoch` was.
function answers:keep(key, names, answer, epoch)
	self.last:set(key, { answer = answer, at = now() });
	if not self.is_kept or not self.is_followed or epoch ~= self.epoch then return; end
	local before = self.current:get(key);
	if before then self:unlist(key, before); end
	self.current:set(key, { answer = answer, names = names });
	for _, name in ipairs(names) do
		self.of_name[name] = self.of_name[name] or {};
		self.of_name[name][key] = true;
	end
end

-- Drops the answers in which a user or group is named.
function answers:drop(name)
	self.epoch = {};
	for key in pairs(self.of_name[name] or {}) do
		local entry = self.current:get(key);
		self.current:set(key, nil);
		if entry then self:unlist(key, entry); end
	end
end

function answers:clear()
	self.epoch = {};
	self.current:clear();
	self.of_name = {};
end

return { new = new };
