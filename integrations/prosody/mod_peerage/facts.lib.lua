-- Facts: what users and rooms are now is sent to the daemon as whole states, so that one that was lost, or sent
-- twice, does no harm. What has changed meanwhile is sent after what is under way.

local json = require "util.json";
local timer = require "util.timer";

local facts = {};
facts.__index = facts;

-- The most states in one batch, and the timeout of a batch in seconds.
local MAX_BATCH = 100;
local TIMEOUT = 10;
-- The pauses between attempts while the daemon can't be reached, in seconds.
local FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5;

-- `state(kind, id)` returns the commands that state what a user or room is now. Of the kind `introduced` is the id of
-- a user of whom it is only stated that they are there.
local function new(connection, log, state)
	return setmetatable({
		connection = connection, log = log, state = state,
		changed = {}, order = {}, busy = false, pause = FIRST_PAUSE, waiting = {},
	}, facts);
end

-- Notes that a user or room has changed.
function facts:note(kind, id)
	local key = kind.." "..id;
	if not self.changed[key] then
		self.changed[key] = { kind, id };
		self.order[#self.order + 1] = key;
	end
	if not self.busy and not self.scheduled then
		self.scheduled = true;
		-- After the event at hand, which may not have stored yet what it changes.
		timer.add_task(0, function () self.scheduled = false; self:send(); end);
	end
end

function facts:is_current()
	return not self.busy and not self.scheduled and #self.order == 0;
end

-- Calls back once all that has been noted is known to the daemon, or at once if it is.
function facts:when_current(callback)
	if self:is_current() then return callback(); end
	self.waiting[#self.waiting + 1] = callback;
end

function facts:send()
	if self.busy or self.stopped then return; end
	if #self.order == 0 then
		local waiting = self.waiting;
		self.waiting = {};
		for _, callback in ipairs(waiting) do callback(); end
		return;
	end
	local batch, commands = {}, {};
	while #batch < MAX_BATCH and #self.order > 0 do
		local key = table.remove(self.order, 1);
		local noted = self.changed[key];
		self.changed[key] = nil;
		batch[#batch + 1] = noted;
		local ok, stated = true, { { op = "put_user", user = noted[2] } };
		if noted[1] ~= "introduced" then ok, stated = pcall(self.state, noted[1], noted[2]); end
		if not ok then
			self.log("error", "The state of %s %s can't be read: %s", noted[1], noted[2], stated);
		else
			for _, command in ipairs(stated) do commands[#commands + 1] = command; end
		end
	end
	self.busy = true;
	self:post(commands, function (is_sent)
		self.busy = false;
		if is_sent then
			self.pause = FIRST_PAUSE;
			return self:send();
		end
		-- All of them again, in front of what has changed since.
		for at = #batch, 1, -1 do
			local key = batch[at][1].." "..batch[at][2];
			if not self.changed[key] then
				self.changed[key] = batch[at];
				table.insert(self.order, 1, key);
			end
		end
		timer.add_task(self.pause, function () self:send(); end);
		self.pause = math.min(self.pause * 2, LONGEST_PAUSE);
	end);
end

-- Sends commands. One that is refused is left out, since a policy file states otherwise, or a limit is reached.
function facts:post(commands, callback)
	if #commands == 0 then return callback(true); end
	local body = json.encode({ commands = commands });
	self.connection:request("POST", "/v1/facts", body, TIMEOUT, function (answer, err)
		if not answer then
			self.log("warn", "Facts could not be sent: %s", err);
			return callback(false);
		end
		if answer.code == 200 then return callback(true); end
		if answer.code == 409 or answer.code == 400 then
			local said = json.decode(answer.body);
			local left, is_fewer = {}, false;
			for at, outcome in ipairs(said and said.outcomes or {}) do
				if outcome.ok == false and outcome.reason ~= "not_applied" then
					is_fewer = true;
					self.log("info", "The daemon does not take %s: %s", json.encode(commands[at]), outcome.message or outcome.reason);
				else
					left[#left + 1] = commands[at];
				end
			end
			if is_fewer then return self:post(left, callback); end
		end
		self.log("warn", "Facts were refused with status %d: %s", answer.code, answer.body);
		callback(false);
	end);
end

-- Calls `each` with the ids of a list of the daemon, and `callback` with whether they are all.
function facts:list(path, field, each, callback)
	local function page(after)
		local query = path.."?limit=300"..(after and "&after="..after or "");
		self.connection:request("GET", query, nil, TIMEOUT, function (answer)
			local said = answer and answer.code == 200 and json.decode(answer.body);
			if not said or not said[field] then return callback(false); end
			for _, entry in ipairs(said[field]) do each(type(entry) == "table" and entry.id or entry); end
			if not said.next or said.next == "" then return callback(true); end
			page((said.next:gsub("[^%w%-_%.~]", function (c) return ("%%%02X"):format(c:byte()); end)));
		end);
	end
	page();
end

function facts:stop()
	self.stopped = true;
end

return { new = new };
