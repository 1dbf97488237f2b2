-- What a component with rooms tells peerage of them: who is in a room with which role, and who is banned from it. Who
-- is in a room without an affiliation is a member for as long as they are there.

local array = require "util.array";
local jid = require "util.jid";
local timer = require "util.timer";

local context, facts;
local muc = module:depends "muc";

local roles = { owner = "super_admins", admin = "admins", member = "members" };

-- The matrix that governs a room.
local function matrix(room)
	if context.matrix ~= "auto" then
		return type(context.matrix) == "table" and context.matrix[room.jid] or context.matrix;
	end
	if room:get_moderated() then return "announcements"; end
	return room:get_members_only() and "all_members" or "open";
end

local function state(_, room_jid)
	local group = context.room_id(room_jid);
	local room = muc.get_room_from_jid(room_jid);
	if not room then return { { op = "delete_group", group = group } }; end
	local lists = { super_admins = array(), admins = array(), members = array(), banned = array() };
	local commands, seen = {}, {};
	local function add(list, full)
		local id = jid.node(full) and context.user_id(full);
		if not id or seen[id] then return; end
		seen[id] = true;
		lists[list]:push(id);
		if context.creates_users then commands[#commands + 1] = { op = "put_user", user = id }; end
	end
	for full, affiliation in room:each_affiliation() do
		if affiliation == "outcast" then add("banned", full); elseif roles[affiliation] then add(roles[affiliation], full); end
	end
	for _, occupant in room:each_occupant() do add("members", occupant.bare_jid); end
	if #lists.super_admins + #lists.admins + #lists.members == 0 and #lists.banned == 0 then
		return { { op = "delete_group", group = group } };
	end
	for _, list in pairs(lists) do list:sort(); end
	commands[#commands + 1] = {
		op = "put_group", group = group, matrix = matrix(room), super_admins = lists.super_admins,
		admins = lists.admins, members = lists.members, banned = lists.banned,
	};
	return commands;
end

local function note(room)
	if room then facts:note("room", room.jid); end
end

local function sync()
	local here = {};
	for room in muc.all_rooms() do
		here[context.room_id(room.jid)] = true;
		note(room);
	end
	facts:list("/v1/facts/groups", "groups", function (id)
		local _, of = jid.split(id);
		if context.id_form == "jid" and of == module.host and not here[id] then facts:note("room", id); end
	end, function (is_whole)
		if not is_whole then timer.add_task(5, sync); end
	end);
end

local function start(given)
	context = given;
	facts = given.new_facts(given.connection, given.log, state);
	for _, name in ipairs {
		"muc-set-affiliation", "muc-occupant-joined", "muc-occupant-left", "muc-room-created", "muc-room-destroyed",
		"muc-room-restored", "muc-config-submitted",
	} do
		module:hook(name, function (event) note(event.room); end, -1000);
	end
	-- Once the component itself is there.
	timer.add_task(0, sync);
	return facts;
end

return { start = start, sync = sync };
