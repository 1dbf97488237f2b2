-- HTTP/1.1 over one connection to the daemon: requests are pipelined, answered in order, and each has a timeout of
-- its own. The connection is opened when it is needed, and again when it was lost.

local server = require "net.server";
local timer = require "util.timer";
local now = require "util.time".monotonic or require "util.time".now;

local connection = {};
connection.__index = connection;

-- The most requests that wait for answers; beyond it, they fail at once.
local MAX_WAITING = 20000;
-- The pause after a connection that could not be opened, in seconds.
local PAUSE = 0.25;

-- options: path of a Unix socket, or host (an IP address) and port; token; log.
local function new(options)
	return setmetatable({
		options = options, waiting = {}, first = 1, last = 0, buffer = "", failed_at = nil,
	}, connection);
end

local function open_unix(path, listeners)
	local unix = require "socket.unix";
	local sock = type(unix) == "table" and (unix.stream or unix)() or unix();
	sock:settimeout(0);
	local ok, err = sock:connect(path);
	if not ok then
		sock:close();
		return nil, err;
	end
	return server.wrapclient(sock, path, 0, listeners, "*a");
end

function connection:listeners()
	local this = self;
	return {
		onincoming = function (conn, data)
			if this.conn == conn then this:receive(data); end
		end;
		ondisconnect = function (conn)
			if this.conn == conn then this:lose("closed"); end
		end;
		onconnect = function () end;
		ondetach = function () end;
		-- A daemon that says nothing is a matter of the timeouts of requests.
		onreadtimeout = function () return true; end;
	};
end

function connection:open()
	if self.conn then return self.conn; end
	if self.failed_at and now() - self.failed_at < PAUSE then return nil, "not connected"; end
	local options = self.options;
	local conn, err;
	if options.path then
		conn, err = open_unix(options.path, self:listeners());
	else
		conn, err = server.addclient(options.host, options.port, self:listeners(), "*a");
	end
	if not conn then
		self.failed_at = now();
		return nil, err or "not connected";
	end
	self.failed_at, self.conn, self.buffer, self.answered = nil, conn, "", false;
	return conn;
end

-- Ends a connection. What waits for an answer fails, unless it may be sent again: the daemon closes connections that
-- were idle, and a request may cross that on its way.
function connection:lose(why)
	local conn = self.conn;
	self.conn = nil;
	if conn then conn:close(); end
	local waiting, first, last = self.waiting, self.first, self.last;
	self.waiting, self.first, self.last, self.buffer = {}, 1, 0, "";
	for at = first, last do
		local request = waiting[at];
		if not request.done then
			if request.again and why == "closed" then
				request.again = false;
				self:push(request);
			else
				self:finish(request, nil, why);
			end
		end
	end
end

function connection:finish(request, answer, err)
	if request.done then return; end
	request.done = true;
	if request.timer then timer.stop(request.timer); end
	request.callback(answer, err);
end

function connection:push(request)
	local conn, err = self:open();
	if not conn then
		self.failed_at = self.failed_at or now();
		return self:finish(request, nil, err);
	end
	if self.last - self.first >= MAX_WAITING then return self:finish(request, nil, "too many requests wait"); end
	self.last = self.last + 1;
	self.waiting[self.last] = request;
	conn:write(request.bytes);
end

-- Sends a request; the callback gets an answer { code, headers, body }, or nil and why there is none, once.
function connection:request(method, path, body, timeout, callback)
	local token = self.options.token;
	local head = method.." "..path.." HTTP/1.1\r\nHost: localhost\r\n"
		..(token and "Authorization: Bearer "..token.."\r\n" or "");
	if body then head = head.."Content-Type: application/json\r\nContent-Length: "..#body.."\r\n"; end
	local request = { bytes = head.."\r\n"..(body or ""), callback = callback, again = method == "GET" };
	request.timer = timer.add_task(timeout, function ()
		request.timer = nil;
		self:finish(request, nil, "timeout");
		-- Its answer may still come, and is passed over then. A daemon that answers nothing for long is left.
		local oldest = self.waiting[self.first];
		if oldest == request then
			timer.add_task(4 * timeout + 1, function ()
				if self.waiting[self.first] == request then self:lose("timeout"); end
			end);
		end
	end);
	self:push(request);
end

function connection:receive(data)
	self.buffer = #self.buffer == 0 and data or self.buffer..data;
	while true do
		local head_end = self.buffer:find("\r\n\r\n", 1, true);
		if not head_end then
			if #self.buffer > 65536 then self:lose("malformed answer"); end
			return;
		end
		local head = self.buffer:sub(1, head_end + 1);
		local code = tonumber(head:match("^HTTP/1%.[01] (%d%d%d)"));
		if not code then return self:lose("malformed answer"); end
		local headers = {};
		for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do headers[name:lower()] = value; end
		local length = tonumber(headers["content-length"] or (code == 204 or code == 304) and 0);
		-- Only long lists are sent in chunks, which are not asked for on this connection.
		if not length then return self:lose("an answer without a length"); end
		if #self.buffer < head_end + 3 + length then return; end
		local body = self.buffer:sub(head_end + 4, head_end + 3 + length);
		self.buffer = self.buffer:sub(head_end + 4 + length);
		local request = self.waiting[self.first];
		if not request then return self:lose("an answer to no request"); end
		self.waiting[self.first] = nil;
		self.first = self.first + 1;
		local closes = (headers["connection"] or ""):lower() == "close";
		self:finish(request, { code = code, headers = headers, body = body });
		if closes then return self:lose("closed"); end
	end
end

function connection:close()
	self:lose("the module is unloaded");
end

-- A request whose answer goes on: calls `on_line` for each line, `on_open` with the status, and `on_close` once.
-- Returns a function that ends it.
local function stream(options, request, handlers)
	local state, buffer, chunk_left, rest = "head", "", nil, "";
	local ended, conn = false, nil;
	local function finish(why)
		if ended then return; end
		ended = true;
		if conn then conn:close(); end
		handlers.on_close(why);
	end
	local function lines(text)
		rest = rest..text;
		local from = 1;
		while not ended do
			local to = rest:find("\n", from, true);
			if not to then break; end
			handlers.on_line((rest:sub(from, to - 1):gsub("\r$", "")));
			from = to + 1;
		end
		rest = rest:sub(from);
	end
	local function receive(data)
		buffer = buffer..data;
		if state == "head" then
			local head_end = buffer:find("\r\n\r\n", 1, true);
			if not head_end then return; end
			local code = tonumber(buffer:match("^HTTP/1%.[01] (%d%d%d)"));
			buffer = buffer:sub(head_end + 4);
			if code ~= 200 then return finish("status "..tostring(code)); end
			state = "chunks";
			handlers.on_open();
		end
		while not ended do
			if chunk_left then
				if #buffer < chunk_left + 2 then return; end
				local text = buffer:sub(1, chunk_left);
				buffer, chunk_left = buffer:sub(chunk_left + 3), nil;
				lines(text);
			else
				local line_end = buffer:find("\r\n", 1, true);
				if not line_end then return; end
				chunk_left = tonumber(buffer:sub(1, line_end - 1):match("^%x+"), 16);
				buffer = buffer:sub(line_end + 2);
				if not chunk_left or chunk_left == 0 then return finish("ended"); end
			end
		end
	end
	local listeners = {
		onincoming = function (_, data) receive(data); end;
		ondisconnect = function () conn = nil; finish("closed"); end;
		onconnect = function () end;
		ondetach = function () end;
		onreadtimeout = function () return true; end;
	};
	local err;
	if options.path then
		conn, err = open_unix(options.path, listeners);
	else
		conn, err = server.addclient(options.host, options.port, listeners, "*a");
	end
	if not conn then
		timer.add_task(0, function () finish(err or "not connected"); end);
	else
		local token = options.token and "Authorization: Bearer "..options.token.."\r\n" or "";
		conn:write(request.method.." "..request.path.." HTTP/1.1\r\nHost: localhost\r\n"..token
			..(request.headers or "")..(request.body and "Content-Length: "..#request.body.."\r\n" or "")
			.."\r\n"..(request.body or ""));
	end
	return function () finish("ended here"); end;
end

return { new = new, stream = stream };
