// The client against a real daemon: `PEERAGE` names the program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, ConnectionFailed, RequestError } from "../index.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const program = process.env.PEERAGE ?? join(root, "target/debug/peerage");
const chat = (subject, resource) => ({ subject, action: "start_chat", resource });
let folder, token, daemon, url, client;

async function start(port = 0) {
  daemon = spawn(program, ["serve", join(root, "policies/stores"), "--listen", `127.0.0.1:${port}`,
    "--store", join(folder, "facts.redb"), "--admin-token-file", join(folder, "token")],
  { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: daemon.stdout })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (found) return found[0];
  }
  throw new Error("the daemon has ended");
}

async function stop() {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = new Promise((resume) => daemon.once("exit", resume));
  daemon.kill("SIGKILL");
  await ended;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "peerage-client-"));
  token = randomBytes(24).toString("base64url");
  writeFileSync(join(folder, "token"), token, { mode: 0o600 });
  url = await start();
  client = new Client(url, { token });
});

afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

test("decides", async () => {
  assert.deepEqual(await client.decide(chat("3", "2")), { decision: true, reason: "allowed" });
  assert.ok((await client.decide(chat("5", "2"), { explain: true })).gates);
  const many = await client.decideMany([chat("3", "2"), chat("3", "4")]);
  assert.deepEqual(many.map(({ reason }) => reason), ["allowed", "no_rule"]);
});

test("allows by status", async () => {
  assert.equal((await client.allow(chat("3", "2"))).allowed, true);
  assert.deepEqual(await client.allow(chat("3", "4")), { allowed: false, reason: "no_rule", obligations: null });
});

test("lists by pages", async () => {
  for (const page of [1, 3, 1000]) {
    const found = [];
    for await (const user of client.reach({ subject: "5", action: "start_chat" }, { page })) found.push(user);
    assert.deepEqual(found, ["2", "3", "4", "6"]);
  }
});

test("writes, and throws what is refused", async () => {
  const block = [{ op: "block", from: "2", to: "3" }];
  const first = await client.writeFacts(block, { idempotencyKey: "a" });
  assert.deepEqual(await client.writeFacts(block, { idempotencyKey: "a" }), first);
  const stated = client.writeFacts([{ op: "add_tags", user: "2", tags: ["Berlin"] }]);
  await assert.rejects(stated, (error) =>
    error instanceof RequestError && error.status === 409 && error.body.outcomes[0].reason === "stated_by_file");
  await assert.rejects(client.decide({ subject: "3", action: "nothing" }), { status: 400, at: "action" });
  await assert.rejects(new Client(url).writeFacts(block), { status: 401 });
});

test("throws where no daemon is", async () => {
  await stop();
  await assert.rejects(client.decide(chat("3", "2")), ConnectionFailed);
});

test("watches", async () => {
  const seen = [];
  for await (const { at, reason } of client.watch([chat("3", "2"), chat("3", "4")])) {
    seen.push([at, reason]);
    if (seen.length === 2) await client.writeFacts([{ op: "block", from: "2", to: "3" }]);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen[2], [0, "blocked_by_resource"]);
});

test("follows changes over a restart", async () => {
  const since = (await fetch(`${url}/healthz`)).headers.get("peerage-view");
  await client.writeFacts([{ op: "block", from: "2", to: "3" }]);
  const changes = client.changes({ since, pause: 50 });
  assert.deepEqual((await changes.next()).value.users, ["2", "3"]);
  await stop();
  await start(new URL(url).port);
  // The ids of another process are not known to this one: the client is told that it missed some.
  const { all, missed } = (await changes.next()).value;
  assert.deepEqual([all, missed], [true, true]);
  await changes.return();
});
