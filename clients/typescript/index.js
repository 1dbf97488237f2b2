export class PeerageError extends Error {}

export class ConnectionFailed extends PeerageError {}

export class RequestError extends PeerageError {
  constructor(status, message, at, body) {
    super(`${status}: ${message}`);
    Object.assign(this, { status, at, body });
  }
}

export class Client {
  #url;
  #headers;
  #timeout;
  #fetch;

  constructor(url = "http://127.0.0.1:7411", { token, timeout = 5000, fetch = globalThis.fetch } = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
    this.#timeout = timeout;
    // A browser's `fetch` refuses to be called as a method of another object.
    this.#fetch = (...parts) => fetch(...parts);
  }

  async decide(question, { explain = false } = {}) {
    return this.#json("GET", `/v1/decide?${query(explain ? { ...question, explain: true } : question)}`);
  }

  async decideMany(questions) {
    return this.#json("POST", "/v1/decide", questions);
  }

  async allow(question) {
    return this.#call("GET", `/v1/allow?${query(question)}`, {}, async (response) => {
      const reason = response.headers.get("peerage-reason");
      const denied = response.status === 403 && reason !== null;
      if (!denied && response.status !== 200 && response.status !== 204) throw await refusal(response);
      await response.arrayBuffer();
      const obligations = response.headers.get("peerage-obligations");
      return { allowed: !denied, reason: reason ?? "allowed", obligations };
    });
  }

  async *reach(fields, { page = 1000 } = {}) {
    for (let after = ""; ; ) {
      const asked = query({ ...fields, limit: page, after: after || undefined });
      const body = await this.#json("GET", `/v1/reach?${asked}`);
      yield* body.users ?? body.groups;
      if (!body.next) return;
      after = body.next;
    }
  }

  async writeFacts(commands, { ifRevision, idempotencyKey } = {}) {
    const headers = idempotencyKey ? { "idempotency-key": idempotencyKey } : {};
    return this.#json("POST", "/v1/facts", { commands, if_revision: ifRevision }, headers);
  }

  async *watch(questions, { signal } = {}) {
    const body = questions.map((question) => `${JSON.stringify(question)}\n`).join("");
    const headers = { "content-type": "application/x-ndjson" };
    for await (const line of this.#lines("POST", "/v1/watch", { headers, body }, signal)) {
      if (line.trim()) yield JSON.parse(line);
    }
  }

  async *changes({ since, reconnect = true, pause = 1000, signal } = {}) {
    for (let last = since; !signal?.aborted; ) {
      try {
        let fields = {};
        const headers = last ? { "last-event-id": last } : {};
        for await (const line of this.#lines("GET", "/v1/changes", { headers }, signal)) {
          if (line) {
            const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
            fields[name] = value;
            continue;
          }
          if (fields.data) {
            last = fields.id;
            yield { id: fields.id, ...JSON.parse(fields.data) };
          }
          fields = {};
        }
        if (!reconnect) return;
      } catch (error) {
        const isPassing = error instanceof ConnectionFailed || error.status === 503;
        if (signal?.aborted) return;
        if (!reconnect || !isPassing) throw error;
      }
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }

  async #json(method, path, body, headers = {}) {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    init.headers = body === undefined ? headers : { "content-type": "application/json", ...headers };
    return this.#call(method, path, init, async (response) => {
      if (!response.ok) throw await refusal(response);
      return response.json();
    });
  }

  async #call(method, path, init, read) {
    const signal = AbortSignal.timeout(this.#timeout);
    return failing(async () => read(await this.#send(method, path, init, signal)));
  }

  #send(method, path, init, signal) {
    const headers = { ...this.#headers, ...init.headers };
    return this.#fetch(this.#url + path, { ...init, method, headers, signal });
  }

  async *#lines(method, path, init, outer) {
    const ended = new AbortController();
    const end = () => ended.abort();
    outer?.addEventListener("abort", end, { once: true });
    const timer = setTimeout(end, this.#timeout);
    try {
      const response = await failing(() => this.#send(method, path, init, ended.signal));
      if (!response.ok) throw await failing(() => refusal(response));
      clearTimeout(timer);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { done, value } = await failing(() => reader.read());
        if (done) return;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        yield* lines;
      }
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener("abort", end);
      ended.abort();
    }
  }
}

function query(fields) {
  return new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined));
}

async function failing(call) {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PeerageError) throw error;
    throw new ConnectionFailed(String(error.cause?.message ?? error.message), { cause: error });
  }
}

async function refusal(response) {
  const text = await response.text();
  let body = text;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page: it is told as it is.
  }
  return new RequestError(response.status, body?.error?.message ?? "refused", body?.error?.at ?? null, body);
}
