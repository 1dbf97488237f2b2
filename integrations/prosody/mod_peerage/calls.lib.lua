-- Calls that are under way: each is a standing question, and ends for both once its answer is a denial.

local json = require "util.json";
local st = require "util.stanza";
local timer = require "util.timer";
local new_id = require "util.id".short;

local calls = {};
calls.__index = calls;

-- The longest that a call is watched, in seconds: its end may never be seen.
local LONGEST = 24 * 60 * 60;

local function new(context)
	return setmetatable({ context = context, open = {}, count = 0 }, calls);
end

function calls:began(sid, call)
	if not sid or not call.from or not call.to then return; end
	if not self.open[sid] then self.count = self.count + 1; end
	self.open[sid] = call;
	timer.add_task(LONGEST, function () if self.open[sid] == call then self:ended(sid); end end);
	self:watch();
end

function calls:ended(sid)
	if not self.open[sid] then return; end
	self.open[sid] = nil;
	self.count = self.count - 1;
	self:watch();
end

-- Asks about all calls, after the event at hand.
function calls:watch()
	if self.scheduled then return; end
	self.scheduled = true;
	timer.add_task(0, function ()
		self.scheduled = false;
		self:ask();
	end);
end

function calls:ask()
	local ending = self.ending;
	self.ending = nil;
	if ending then ending(); end
	if self.count == 0 or self.stopped then return; end
	local sids, lines = {}, {};
	for sid, call in pairs(self.open) do
		-- A call that goes on is within a conversation.
		local question = { conversation = "existing" };
		for name, value in pairs(call.question) do question[name] = value; end
		sids[#sids + 1] = sid;
		lines[#lines + 1] = json.encode(question);
	end
	local is_current = true;
	local ends = self.context.http.stream(self.context.endpoint, {
		method = "POST", path = "/v1/watch", headers = "Content-Type: application/x-ndjson\r\n",
		body = table.concat(lines, "\n"),
	}, {
		on_open = function () end;
		on_line = function (line)
			local answer = json.decode(line);
			if is_current and answer and answer.decision == false and answer.reason ~= "stale" then
				self:cut(sids[answer.at + 1], answer);
			end
		end;
		on_close = function (why)
			if not is_current or self.stopped then return; end
			is_current = false;
			self.ending = nil;
			self.context.log("info", "Calls are not watched for a moment (%s)", tostring(why));
			timer.add_task(1, function () self:watch(); end);
		end;
	});
	self.ending = function ()
		is_current = false;
		ends();
	end;
end

function calls:cut(sid, answer)
	local call = self.open[sid];
	if not call then return; end
	self.open[sid] = nil;
	self.count = self.count - 1;
	self.context.log("info", "A call between %s and %s is cut: %s", call.from, call.to, answer.reason);
	for _, ends in ipairs { { call.from, call.to }, { call.to, call.from } } do
		self.context.send(st.iq { type = "set", from = ends[1], to = ends[2], id = new_id() }
			:tag("jingle", { xmlns = "urn:xmpp:jingle:1", action = "session-terminate", sid = sid })
				:tag("reason")
					:tag("cancel"):up()
					:text_tag("text", self.context.text_of(answer)));
	end
end

function calls:stop()
	self.stopped = true;
	if self.ending then self.ending(); end
end

return { new = new };
