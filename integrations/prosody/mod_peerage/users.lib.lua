-- What a virtual host tells peerage of its users: that they are there, whom they block (XEP-0191), and who is on their
-- rosters.

local array = require "util.array";
local jid = require "util.jid";
local timer = require "util.timer";
local rostermanager = require "core.rostermanager";
local usermanager = require "core.usermanager";

local context, facts;

local function exists(username)
	return usermanager.user_exists(username, module.host);
end

-- The ids of some JIDs that the daemon can know of: not of users who are deleted here.
local function known(jids)
	local ids, seen = {}, {};
	for _, full in ipairs(jids) do
		local node, of = jid.split(full);
		local id = node and context.user_id(full);
		if id and not seen[id] and (of ~= module.host or exists(node)) then
			seen[id] = true;
			ids[#ids + 1] = id;
		end
	end
	table.sort(ids);
	return ids;
end

local function blocked(username)
	local list = module:open_store("blocklist"):get(username) or {};
	local jids = {};
	for full in pairs(list) do
		if type(full) == "string" then jids[#jids + 1] = full; end
	end
	return known(jids);
end

local function contacts(username)
	local jids = {};
	for full, item in pairs(rostermanager.load_roster(username, module.host) or {}) do
		if type(full) == "string" and context.contact_states:contains(item.subscription) then jids[#jids + 1] = full; end
	end
	return known(jids);
end

-- Users of whom the daemon was told that they are there.
local told = {};

local function state(_, username)
	local id = context.user_id(username.."@"..module.host);
	if not exists(username) then
		told[id] = nil;
		return { { op = "delete_user", user = id } };
	end
	local commands = {};
	local contact_ids, blocked_ids = contacts(username), blocked(username);
	if context.creates_users then
		for _, ids in ipairs { contact_ids, blocked_ids } do
			for _, other in ipairs(ids) do
				if not told[other] then
					told[other] = true;
					commands[#commands + 1] = { op = "put_user", user = other };
				end
			end
		end
		told[id] = true;
	end
	-- Each apart: where a file states one of them, the others are still taken.
	if context.creates_users then commands[#commands + 1] = { op = "put_user", user = id }; end
	commands[#commands + 1] = { op = "put_user", user = id, contacts = array(contact_ids) };
	commands[#commands + 1] = { op = "put_user", user = id, blocked = array(blocked_ids) };
	return commands;
end

local function note(username)
	if username then facts:note("user", username); end
end

-- Both ends of a subscription, if they are users of this host.
local function note_both(event)
	local stanza = event.stanza;
	for _, full in pairs { stanza.attr.from or event.origin.full_jid, stanza.attr.to } do
		local node, of = jid.split(full);
		if node and of == module.host then note(node); end
	end
end

local subscriptions = { subscribe = true, subscribed = true, unsubscribe = true, unsubscribed = true };

local function note_subscription(event)
	if subscriptions[event.stanza.attr.type or ""] then note_both(event); end
end

-- All users, and those whom the daemon has and who are gone.
local function sync()
	told = {};
	for username in usermanager.users(module.host) do note(username); end
	facts:list("/v1/facts/users", "users", function (id)
		local node, of = jid.split(id);
		if context.id_form == "jid" and of == module.host and node and not exists(node) then note(node); end
	end, function (is_whole)
		if not is_whole then timer.add_task(5, sync); end
	end);
end

local function start(given)
	context = given;
	facts = given.new_facts(given.connection, given.log, state);
	module:hook("iq-set/self/urn:xmpp:blocking:block", function (event) note(event.origin.username); end, 500);
	module:hook("iq-set/self/urn:xmpp:blocking:unblock", function (event) note(event.origin.username); end, 500);
	module:hook("iq/self/jabber:iq:roster:query", function (event)
		if event.stanza.attr.type == "set" then note(event.origin.username); end
	end, 500);
	for _, name in ipairs { "pre-presence/bare", "presence/bare" } do
		module:hook(name, note_subscription, 500);
	end
	module:hook("roster-item-removed", function (event)
		note(event.username);
		local node, of = jid.split(event.jid);
		if of == module.host then note(node); end
	end);
	for _, name in ipairs { "user-registered", "user-deleted" } do
		module:hook_global(name, function (event)
			if event.host == module.host then note(event.username); end
		end, -1000);
	end
	sync();
	return facts;
end

return { start = start, sync = sync };
