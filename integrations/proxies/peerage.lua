-- The action `lua.peerage` of HAProxy: sets txn.peerage_allowed and txn.peerage_reason.
local URL = "http://127.0.0.1:7411/v1/allow"
local MILLISECONDS = 250

core.register_action("peerage", { "http-req" }, function(txn)
    txn:set_var("txn.peerage_allowed", false)
    txn:set_var("txn.peerage_reason", "unavailable")
    local response = core.httpclient():get({
        url = URL,
        timeout = MILLISECONDS,
        headers = {
            ["host"] = { "localhost" },
            ["x-original-uri"] = { txn.sf:pathq() },
            ["x-user"] = { txn.sf:req_fhdr("x-user") },
        },
    })
    if response == nil or response.status == nil then
        return
    end
    local reason = response.headers and response.headers["peerage-reason"]
    if reason then
        txn:set_var("txn.peerage_reason", reason[0])
    end
    txn:set_var("txn.peerage_allowed", response.status == 204)
end)
