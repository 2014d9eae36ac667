// ratings: how many stars each reader gave a book.
import { pathOf, sendJson, serve } from './service.js';

const starsByReader = { Dolly: 5, Godfrey: 4 };

serve('ratings', (request, response) => {
  const [, id] = /^\/ratings\/(\d+)$/.exec(pathOf(request)) ?? [];
  if (pathOf(request) === '/health') sendJson(response, 200, { status: 'ok' });
  else if (id === undefined) sendJson(response, 404, { error: 'ask for /ratings/0' });
  else sendJson(response, 200, { id: Number(id), ratings: starsByReader });
});
