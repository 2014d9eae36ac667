-- Counts every request that goes out, those included that are cut off at the end: what a proxy must have counted too.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  local text = wrk.format()
  bytes = #text
  -- wrk asks once before the load begins, to look at the request; that one isn't sent.
  sent = -1
  request = function()
    sent = sent + 1
    return text
  end
end

function done(summary, latency)
  local total = 0
  for _, thread in ipairs(threads) do
    total = total + thread:get('sent')
  end
  local failed = summary.errors
  print(string.format(
    'result {"sent":%d,"requestBytes":%d,"answered":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d,"errors":%d}',
    total, threads[1]:get('bytes'), summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    failed.connect + failed.read + failed.write + failed.status + failed.timeout
  ))
end
