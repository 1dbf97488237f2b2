// Decides, lists and watches by Node's `fetch`: `node decide.mjs http://127.0.0.1:7411`.
const base = process.argv[2];

async function get(path, fields) {
  const response = await fetch(`${base}${path}?${new URLSearchParams(fields)}`, { signal: AbortSignal.timeout(5000) });
  return { status: response.status, body: await response.json() };
}

const decided = await get("/v1/decide", { subject: "3", action: "start_chat", resource: "2" });
console.log("decision:", decided.body.reason);
const listed = await get("/v1/reach", { subject: "5", action: "start_chat" });
console.log("list:", ...listed.body.users);

const leave = new AbortController();
const answers = await fetch(`${base}/v1/watch`, {
  method: "POST",
  headers: { "content-type": "application/x-ndjson" },
  body: JSON.stringify({ subject: "3", action: "start_chat", resource: "4" }),
  signal: leave.signal,
});
// The stream goes on for as long as it is read; a real program would not stop at the first answer.
const { value } = await answers.body.pipeThrough(new TextDecoderStream()).getReader().read();
console.log("watch:", JSON.parse(value.split("\n")[0]).reason);
leave.abort();

const refused = await get("/v1/decide", { subject: "3", action: "no_such_action" });
console.log("error:", refused.status, refused.body.error.at);
