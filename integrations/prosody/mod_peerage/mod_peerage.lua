-- Asks peerage who may talk to whom, for virtual hosts and for group chats (MUC components), and tells it of blocks,
-- rosters and rooms. See docs/integrations/prosody.md.

local async = require "util.async";
local json = require "util.json";
local jid = require "util.jid";
local st = require "util.stanza";
local timer = require "util.timer";
local usermanager = require "core.usermanager";

local http = module:require "http";
local new_answers = module:require "cache".new;
local new_facts = module:require "facts".new;

local host = module.host;
local is_component = module:get_host_type() == "component";

local socket_path = module:get_option_string("peerage_socket");
local address = module:get_option_string("peerage_host", "127.0.0.1");
local port = module:get_option_number("peerage_port", 7411);
local token = module:get_option_string("peerage_token");
local timeout = module:get_option_number("peerage_timeout", 0.25);
local on_failure = module:get_option_string("peerage_on_failure", "deny");
local last_answer_for = module:get_option_number("peerage_last_answer_for", 60);
local cache_size = module:get_option_number("peerage_cache", 10000);
local id_form = module:get_option_string("peerage_ids", "jid");
local components = module:get_option("peerage_components", {});
local facts_socket = module:get_option_string("peerage_facts_socket");
local facts_token = module:get_option_string("peerage_facts_token");
local creates_users = module:get_option_boolean("peerage_create_users", true);
local contact_states = module:get_option_set("peerage_contacts", { "both", "from", "to" });
local matrix_of = module:get_option("peerage_matrix", "auto");
local cuts_calls = module:get_option_boolean("peerage_cut_calls", true);

if on_failure ~= "deny" and on_failure ~= "allow" and on_failure ~= "last" then
	module:log("error", "peerage_on_failure is deny, allow or last, not %q: denied is what can't be asked", on_failure);
	on_failure = "deny";
end
if module:get_option("network_default_read_size") ~= "*a" then
	module:log("warn", "Set network_default_read_size = \"*a\" in the global section: without it, this version of "
		.."Prosody may not read on while a client that sends much at once waits for an answer (it is worked round)");
end

local endpoint = { path = socket_path, host = address, port = port, token = token };
local questions = http.new(endpoint);
-- Without a cache, none is kept of those that stand; the last answers are still needed.
local answers = new_answers(math.max(1, math.floor(cache_size)), cache_size >= 1);

-- Ids

-- The id of a user of this server or another; with `peerage_ids = "node"`, users of this host go without it.
local function user_id(full)
	local node, of = jid.split(full);
	if not node then return nil; end
	if id_form == "node" and prosody.hosts[of] then return node; end
	return node.."@"..of;
end

local function room_id(full)
	local node, of = jid.split(full);
	return id_form == "node" and node or (node and node.."@"..of or of);
end

local function is_room(of)
	local known = prosody.hosts[of];
	return known and known.modules and known.modules.muc ~= nil;
end

-- Questions

local function encoded(text)
	return (text:gsub("[^%w%-_%.~]", function (char) return ("%%%02X"):format(char:byte()); end));
end

-- A question: subject, action, and any of resource, resource_type, member and field.
local function query_of(question)
	local parts = {};
	for _, name in ipairs { "subject", "action", "resource", "resource_type", "member", "field", "conversation" } do
		if question[name] then parts[#parts + 1] = name.."="..encoded(question[name]); end
	end
	return table.concat(parts, "&");
end

-- The answer where the daemon can't be asked.
local function failed(query, err)
	if on_failure == "allow" then return { decision = true, reason = "unavailable" }; end
	if on_failure == "last" then
		local last = answers:recent(query, last_answer_for);
		if last then return last; end
	end
	module:log("warn", "Denied, since peerage can't be asked (%s): %s", err, query);
	return { decision = false, reason = "unavailable" };
end

-- Asks, and calls back with the answer, or nil and why there is none.
local function ask_later(query, names, callback)
	local epoch = answers.epoch;
	questions:request("GET", "/v1/decide?"..query, nil, timeout, function (response, err)
		if not response then return callback(nil, err); end
		local answer = response.code == 200 and json.decode(response.body);
		if type(answer) ~= "table" or type(answer.decision) ~= "boolean" then
			return callback(nil, "status "..response.code..": "..response.body:sub(1, 200));
		end
		answers:keep(query, names, answer, epoch);
		callback(answer);
	end);
end

local facts;

-- After a wait, bytes that a client sent meanwhile may lie in the buffer of its socket, which this version of Prosody
-- does not look at before more of them come.
local function wake(session)
	local conn = session and session.conn;
	if not conn or not conn.socket or not conn.pausefor then return; end
	timer.add_task(0, function ()
		pcall(function ()
			local sock = conn:socket();
			if sock and sock.dirty and sock:dirty() then conn:pausefor(1e-6); end
		end);
	end);
end

-- States those of some ids that are accounts of this server; whether any is.
local function introduce(names)
	local is_any = false;
	for _, id in pairs(names) do
		local node, of = jid.split(id);
		if not node then node, of = id, nil; end
		for name, known in pairs(prosody.hosts) do
			if known.type == "local" and (of == nil or of == name) and usermanager.user_exists(node, name) then
				facts:note("introduced", id);
				is_any = true;
				break;
			end
		end
	end
	return is_any;
end

-- The answer to a question; waits for it without keeping others.
local ask;
function ask(session, question)
	local query = query_of(question);
	local names = { question.subject, question.resource, question.member };
	local standing = answers:standing(query);
	if standing then return standing; end
	if not async.ready() then
		-- The streams of components are not run in a way that could wait.
		local trust = session and session.type == "component" and components[session.host or ""];
		if trust == "trust" then return { decision = true, reason = "trusted_component" }; end
		return failed(query, "a stanza of a stream that can't wait");
	end
	local wait, done = async.waiter();
	local answer, err;
	local function go_on(given, why)
		answer, err = given, why;
		done();
	end
	if facts and question.resource_type == "group" and not facts:is_current() then
		-- A room that was just made, or joined, is asked about once the daemon knows.
		local is_asked = false;
		local function go()
			if is_asked then return; end
			is_asked = true;
			ask_later(query, names, go_on);
		end
		facts:when_current(go);
		timer.add_task(timeout, go);
	else
		ask_later(query, names, go_on);
	end
	wait();
	if answer and facts and creates_users and not question.is_again
			and (answer.reason == "unknown_subject" or answer.reason == "unknown_resource") and introduce(names) then
		-- An account that was made a moment ago, or one of another host.
		question.is_again = true;
		wait, done = async.waiter();
		local is_told = false;
		local function tell_once()
			if not is_told then is_told = true; done(); end
		end
		facts:when_current(tell_once);
		timer.add_task(timeout, tell_once);
		wait();
		return ask(session, question);
	end
	wake(session);
	return answer or failed(query, err);
end

local texts = module:get_option("peerage_texts", {});

local function text_of(answer)
	return texts[answer.reason] or (answer.reason == "unavailable" and "This can't be decided now" or
		"Not allowed: "..answer.reason);
end

local function refuse(origin, stanza, answer, by)
	local kind, condition = "auth", "forbidden";
	if answer.reason == "unavailable" then kind, condition = "wait", "resource-constraint"; end
	if stanza.attr.type ~= "error" then origin.send(st.error_reply(stanza, kind, condition, text_of(answer), by)); end
	return true;
end

-- What is no message to anybody: receipts, markers, chat states, hints to servers, and the steps of a call behind its
-- proposal. All else is one, also what this module does not know.
local silent = {
	["http://jabber.org/protocol/chatstates"] = true, ["urn:xmpp:receipts"] = true,
	["urn:xmpp:chat-markers:0"] = true, ["urn:xmpp:hints"] = true, ["urn:xmpp:sid:0"] = true,
	["urn:xmpp:carbons:2"] = true, ["urn:xmpp:jingle-message:0"] = true,
};
local function has_content(stanza)
	for _, child in ipairs(stanza.tags) do
		local is_thread = child.name == "thread" and (child.attr.xmlns == nil or child.attr.xmlns == "jabber:client");
		if not is_thread and not silent[child.attr.xmlns or ""] then return true; end
	end
	return false;
end

local function call_action(descriptions)
	for _, description in ipairs(descriptions) do
		if description.attr.media == "video" then return "video_call"; end
	end
	return "voice_call";
end

-- The questions that a message to a user asks: one that invites to a room, or proposes a call, may say something besides.
local function message_questions(stanza, from, to)
	local questions = {};
	local propose = stanza:get_child("propose", "urn:xmpp:jingle-message:0");
	if propose then
		local descriptions = {};
		for child in propose:childtags("description") do descriptions[#descriptions + 1] = child; end
		questions[1] = { subject = from, action = call_action(descriptions), resource = to };
	end
	local invite = stanza:get_child("x", "jabber:x:conference");
	if invite and invite.attr.jid then
		local _, of = jid.split(invite.attr.jid);
		if is_room(of) then
			questions[#questions + 1] = {
				subject = from, action = "add_member", resource = room_id(invite.attr.jid),
				resource_type = "group", member = to,
			};
		end
	end
	if has_content(stanza) then
		questions[#questions + 1] = { subject = from, action = "send_message", resource = to };
	end
	return questions;
end

-- Hooks of virtual hosts

local function check_message(event)
	local origin, stanza = event.origin, event.stanza;
	local kind = stanza.attr.type;
	if kind == "error" or kind == "groupchat" or not stanza.attr.to then return; end
	local from, to = user_id(stanza.attr.from or origin.full_jid or ""), user_id(stanza.attr.to);
	local _, to_host = jid.split(stanza.attr.to);
	-- Rooms ask about messages within them. A mediated invitation comes from a room that has asked.
	if not from or not to or from == to or is_room(to_host) then return; end
	for _, question in ipairs(message_questions(stanza, from, to)) do
		local answer = ask(origin, question);
		if not answer.decision then return refuse(origin, stanza, answer); end
	end
end

local function check_incoming_message(event)
	local origin, stanza = event.origin, event.stanza;
	local _, from_host = jid.split(stanza.attr.from or "");
	-- Users of this server have been asked about as they sent.
	if origin.type == "c2s" or is_room(from_host) then return; end
	return check_message(event);
end

local function check_subscription(event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.type ~= "subscribe" or not stanza.attr.to then return; end
	local from, to = user_id(stanza.attr.from or origin.full_jid or ""), user_id(stanza.attr.to);
	if not from or not to or from == to then return; end
	local node, of = jid.split(stanza.attr.from or origin.full_jid);
	-- One that is pending already was asked about; it is sent again as the user comes online, where nothing may wait.
	if origin.type == "c2s" and origin.roster then
		local item = origin.roster[jid.bare(stanza.attr.to)];
		if item and item.ask then return; end
	end
	local answer = ask(origin, { subject = from, action = "friend_request", resource = to });
	if not answer.decision then return refuse(origin, stanza, answer); end
end

local function check_incoming_subscription(event)
	if event.origin.type == "c2s" then return; end
	return check_subscription(event);
end

local function check_roster(event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.type ~= "set" then return; end
	local item = stanza.tags[1] and stanza.tags[1]:get_child("item", "jabber:iq:roster");
	local contact = item and item.attr.jid and jid.prep(item.attr.jid);
	if not contact or item.attr.subscription == "remove" then return; end
	if origin.roster and origin.roster[contact] then return; end
	local from, to = user_id(origin.full_jid), user_id(contact);
	if not from or not to or from == to then return; end
	local answer = ask(origin, { subject = from, action = "friend_request", resource = to });
	if not answer.decision then return refuse(origin, stanza, answer); end
end

local calls;

local function check_call(event)
	local origin, stanza = event.origin, event.stanza;
	local jingle = stanza.attr.type == "set" and stanza:get_child("jingle", "urn:xmpp:jingle:1");
	if not jingle then return; end
	local from, to = user_id(stanza.attr.from or origin.full_jid or ""), user_id(stanza.attr.to or "");
	if not from or not to or from == to then return; end
	if jingle.attr.action ~= "session-initiate" then
		if calls and jingle.attr.action == "session-terminate" then calls:ended(jingle.attr.sid); end
		return;
	end
	local descriptions, is_call = {}, false;
	for content in jingle:childtags("content") do
		local description = content:get_child("description", "urn:xmpp:jingle:apps:rtp:1");
		if description then
			is_call = true;
			descriptions[#descriptions + 1] = description;
		end
	end
	local action = is_call and call_action(descriptions) or "send_message";
	local question = { subject = from, action = action, resource = to };
	local answer = ask(origin, question);
	if not answer.decision then return refuse(origin, stanza, answer); end
	if calls and is_call then
		calls:began(jingle.attr.sid, {
			from = stanza.attr.from or origin.full_jid, to = stanza.attr.to, question = question,
		});
	end
end

local function check_incoming_call(event)
	if event.origin.type == "c2s" then return; end
	return check_call(event);
end

if not is_component then
	module:hook("pre-message/bare", check_message, 1000);
	module:hook("pre-message/full", check_message, 1000);
	module:hook("message/bare", check_incoming_message, 1000);
	module:hook("message/full", check_incoming_message, 1000);
	module:hook("pre-presence/bare", check_subscription, 1000);
	module:hook("presence/bare", check_incoming_subscription, 1000);
	module:hook("iq/self/jabber:iq:roster:query", check_roster, 1000);
	module:hook("pre-iq/full", check_call, 1000);
	module:hook("iq/full", check_incoming_call, 1000);
	if cuts_calls then
		calls = module:require "calls".new {
			endpoint = endpoint, http = http, text_of = text_of, log = function (...) module:log(...); end,
			send = function (stanza) module:send(stanza); end,
		};
	end
end

-- Hooks of rooms

local function group_question(room, full, action, member)
	return {
		subject = user_id(full), action = action, resource = room_id(room.jid), resource_type = "group",
		member = member and user_id(member),
	};
end

local function check_creation(event)
	local answer = ask(event.origin, { subject = user_id(event.stanza.attr.from), action = "create_group" });
	if not answer.decision then return refuse(event.origin, event.stanza, answer, event.room.jid); end
end

local function check_join(event)
	local room, origin, stanza = event.room, event.origin, event.stanza;
	if event.is_new_room then return; end
	local affiliation = room:get_affiliation(stanza.attr.from);
	-- Members come and go as they like; an outcast is refused by the room itself.
	if affiliation and affiliation ~= "none" then return; end
	for _, occupant in room:each_occupant() do
		if occupant.bare_jid == jid.bare(stanza.attr.from) then return; end
	end
	local answer = ask(origin, group_question(room, stanza.attr.from, "join"));
	if not answer.decision then return refuse(origin, stanza, answer, room.jid); end
end

local function check_group_message(event)
	local room, origin, stanza = event.room, event.origin, event.stanza;
	if not has_content(stanza) then return; end
	local is_subject = stanza:get_child("subject") and not stanza:get_child("body");
	local question = group_question(room, stanza.attr.from, is_subject and "update_metadata" or "send_message");
	if is_subject then question.field = "subject"; end
	local answer = ask(origin, question);
	if not answer.decision then return refuse(origin, stanza, answer, room.jid); end
end

local function check_private_message(event)
	local room, origin, stanza = event.room, event.origin, event.stanza;
	if not has_content(stanza) then return; end
	local occupant = room:get_occupant_by_nick(stanza.attr.to);
	local from, to = user_id(stanza.attr.from), occupant and user_id(occupant.bare_jid);
	-- The room has put its own address in the place of the sender's by then.
	local sender = room:get_occupant_by_nick(stanza.attr.from);
	from = sender and user_id(sender.bare_jid) or from;
	if not from or not to or from == to then return; end
	local answer = ask(origin, { subject = from, action = "send_message", resource = to });
	if not answer.decision then
		refuse(origin, stanza, answer, room.jid);
		return false;
	end
end

local function check_invitation(event)
	local room, origin, stanza = event.room, event.origin, event.stanza;
	local x = stanza:get_child("x", "http://jabber.org/protocol/muc#user");
	local invite = x and x:get_child("invite");
	local invited = invite and jid.prep(invite.attr.to);
	if not invited or not jid.node(invited) then return; end
	local answer = ask(origin, group_question(room, stanza.attr.from, "add_member", invited));
	if not answer.decision then return refuse(origin, stanza, answer, room.jid); end
end

-- The steps from one affiliation to another, as peerage knows them: nobody is promoted who is no member, nor added
-- while they are banned. A step may be denied for the sole reason that the one before it has not been taken yet.
local function affiliation_steps(before, after)
	local ranks = { outcast = 0, none = 1, member = 2, admin = 3, owner = 4 };
	local steps = {};
	if after == "outcast" then return { { "ban_member" } }; end
	if before == "outcast" then steps[1] = { "unban_member" }; end
	if ranks[after] > ranks[before] then
		if ranks[before] < 2 and ranks[after] >= 2 then
			steps[#steps + 1] = { "add_member", before == "outcast" and "banned_from_group" };
		end
		local is_new = ranks[before] < 2;
		if after == "admin" then steps[#steps + 1] = { "add_admin", is_new and "not_member" }; end
		if after == "owner" then steps[#steps + 1] = { "add_super_admin", is_new and "not_member" }; end
	elseif after ~= before then
		if before == "owner" then steps[#steps + 1] = { "remove_super_admin" }; end
		if before == "admin" then steps[#steps + 1] = { "remove_admin" }; end
		if after == "none" and before == "member" then steps[#steps + 1] = { "remove_member" }; end
	end
	return steps;
end

local function check_affiliation(event)
	local room, actor = event.room, event.actor;
	-- Without an actor it is the server itself, or an administrator at its console.
	if not actor or not jid.node(event.jid) or jid.bare(actor) == jid.bare(event.jid) then return; end
	local session = prosody.full_sessions[actor];
	for _, step in ipairs(affiliation_steps(event.previous_affiliation, event.affiliation)) do
		local question = group_question(room, actor, step[1], event.jid);
		local answer = ask(session, question);
		-- Who is in the room without an affiliation is a member already.
		local is_there = step[1] == "add_member" and answer.reason == "already_member";
		if not answer.decision and answer.reason ~= step[2] and not is_there then
			event.allowed = false;
			event.error = { type = "auth", condition = "forbidden", text = text_of(answer) };
			return true;
		end
	end
end

if is_component then
	module:hook("muc-room-pre-create", check_creation, 1000);
	-- Before the room itself looks at passwords and lists of members.
	module:hook("muc-occupant-pre-join", check_join, 100);
	-- After it has looked at the role.
	module:hook("muc-occupant-groupchat", check_group_message, 40);
	module:hook("muc-private-message", check_private_message, 1000);
	module:hook("muc-pre-invite", check_invitation, -1);
	module:hook("muc-pre-set-affiliation", check_affiliation, 1000);
end

-- Changes that the daemon tells

local function follow()
	local last_id, ending, is_stopped;
	local resync = function () end;
	local function open()
		if is_stopped then return; end
		local id;
		ending = http.stream(endpoint, {
			method = "GET", path = "/v1/changes", headers = last_id and "Last-Event-ID: "..last_id.."\r\n" or nil,
		}, {
			on_open = function ()
				answers:clear();
				answers.is_followed = true;
			end;
			on_line = function (line)
				id = line:match("^id: (%d+)$") or id;
				local data = line:match("^data: (.*)$");
				local change = data and json.decode(data);
				if not change then return; end
				last_id = id;
				if change.missed then resync(); end
				if change.all then return answers:clear(); end
				for _, names in ipairs { change.users, change.groups or {} } do
					for _, name in ipairs(names) do answers:drop(name); end
				end
			end;
			on_close = function (why)
				answers.is_followed = false;
				answers:clear();
				if is_stopped then return; end
				module:log("info", "The stream of changes ended (%s)", tostring(why));
				timer.add_task(1, open);
			end;
		});
	end
	open();
	return {
		on_missed = function (callback) resync = callback; end;
		stop = function ()
			is_stopped = true;
			if ending then ending(); end
		end;
	};
end

local changes = follow();

-- Facts

if facts_socket or facts_token then
	local connection = http.new {
		path = facts_socket, host = address, port = port, token = facts_token,
	};
	local tell = module:require(is_component and "rooms" or "users");
	local log = function (...) module:log(...); end
	facts = tell.start {
		module = module, connection = connection, log = log, new_facts = new_facts, user_id = user_id,
		room_id = room_id, creates_users = creates_users, contact_states = contact_states, matrix = matrix_of,
		id_form = id_form,
	};
	changes.on_missed(function () tell.sync(); end);
else
	module:log("info", "Blocks, rosters and rooms are not told to peerage: set peerage_facts_socket for that");
end

function module.unload()
	changes.stop();
	if facts then facts:stop(); end
	if calls then calls:stop(); end
	questions:close();
end
