// What the bookstore's Node services have in common: answering and asking over plain HTTP. Nothing in here knows of a
// mesh; it would run on any host with the same names.
import { createServer, get } from 'node:http';

const answerWithinMs = 3_000;

/** Headers that tell who asked and in which course of requests: a good citizen passes them on. */
const passedOn = ['end-user', 'x-request-id', 'traceparent', 'tracestate'];

/** The headers of a request that belong to every request made for it. */
export function contextOf(request) {
  const context = {};
  for (const name of passedOn) {
    if (request.headers[name] !== undefined) context[name] = request.headers[name];
  }
  return context;
}

/** Asks another service for JSON; rejects with a sentence where it doesn't answer 200 in time. */
export function ask(name, base, path, headers) {
  return new Promise((resolve, reject) => {
    const request = get(new URL(path, base), { headers, timeout: answerWithinMs }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8').trim();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${name} answered ${response.statusCode}${text === '' ? '' : `: ${text}`}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${name} did not answer in time`)));
    request.on('error', reject);
  });
}

/** The path that a request asks for, without the query. */
export function pathOf(request) {
  return request.url.split('?', 1)[0];
}

/** Ends a response with JSON. */
export function sendJson(response, status, value) {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

/** Listens on PORT (9080 without one) on loopback, until SIGTERM; `handle` answers requests. */
export function serve(name, handle) {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error) => {
      console.error(`${name}: ${error.message}`);
      if (!response.headersSent) sendJson(response, 500, { error: error.message });
    });
  });
  server.on('error', (error) => {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  });
  server.listen(Number(process.env.PORT ?? 9080), '127.0.0.1', () => {
    console.log(`${name} listens on 127.0.0.1:${server.address().port}`);
  });
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
