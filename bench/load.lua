-- Asks one thing over and over, each time with a number of its own (`@N`), so that no two reads are the same call.
-- The last line it prints is what came of it, as JSON.

local method, path, body, headers
local number = 0

function init(args)
  method, path, body = args[1], args[2], args[4]
  headers = { ["X-API-Key"] = args[3] }
  if body then
    headers["Content-Type"] = "application/json"
  end
end

function request()
  number = number + 1
  return wrk.format(method, (path:gsub("@N", number)), headers, body and (body:gsub("@N", number)))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end
