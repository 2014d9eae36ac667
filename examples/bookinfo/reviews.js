// reviews: what readers say about a book. `node reviews.js v1` shows no stars, v2 black ones, v3 red ones; the stars
// come from ratings.
import { ask, contextOf, pathOf, sendJson, serve } from './service.js';

const version = process.argv[2] ?? 'v1';
const colors = { v1: null, v2: 'black', v3: 'red' };
const color = colors[version];
if (color === undefined) {
  console.error(`reviews: there is no version '${version}': v1, v2 or v3`);
  process.exit(2);
}
const ratingsUrl = process.env.RATINGS_URL ?? 'http://ratings:9080';

const texts = {
  Dolly: 'A quiet story of a lonely man, his loom and the child who changes everything. I cried twice.',
  Godfrey: 'Every thread is picked up again in the end. Slow to begin with, and worth each page.',
};

async function readRatings(id, request) {
  if (color === null) return { stars: {} };
  try {
    const { ratings } = await ask('ratings', ratingsUrl, `/ratings/${id}`, contextOf(request));
    return { stars: ratings };
  } catch (error) {
    // Reviews without stars are better than none.
    return { stars: {}, problem: error.message };
  }
}

async function answerReviews(id, request, response) {
  const { stars, problem } = await readRatings(id, request);
  sendJson(response, 200, {
    id: Number(id),
    version,
    reviews: Object.entries(texts).map(([reader, text]) => ({
      reader,
      text,
      stars: stars[reader] ?? null,
      color,
    })),
    ...(problem === undefined ? {} : { problem }),
  });
}

serve(`reviews ${version}`, (request, response) => {
  const [, id] = /^\/reviews\/(\d+)$/.exec(pathOf(request)) ?? [];
  if (pathOf(request) === '/health') return sendJson(response, 200, { status: 'ok', version });
  if (id === undefined) return sendJson(response, 404, { error: 'ask for /reviews/0' });
  return answerReviews(id, request, response);
});
