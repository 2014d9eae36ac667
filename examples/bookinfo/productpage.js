// productpage: the page that people see. Asks details and reviews, and shows what it gets, also when that is an error.
import { renderPage } from './page.js';
import { ask, contextOf, sendJson, serve } from './service.js';

const detailsUrl = process.env.DETAILS_URL ?? 'http://details:9080';
const reviewsUrl = process.env.REVIEWS_URL ?? 'http://reviews:9080';

/** Who is signed in: said in the address (`?user=jason`; empty signs out), else remembered in a cookie. */
function userOf(request, url) {
  const said = url.searchParams.get('user');
  const [, remembered = ''] = /(?:^|;\s*)user=([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
  let user = said ?? '';
  if (said === null) {
    try {
      user = decodeURIComponent(remembered);
    } catch {
      // A cookie that somebody has tampered with signs nobody in.
    }
  }
  // It travels in a header: names only, nothing that could end the line.
  return { user: /^[\w.@-]{1,64}$/.test(user) ? user : '', isNew: said !== null };
}

/** The answer or the reason why there is none. */
function settle(promise) {
  return promise.then(
    (value) => ({ value, problem: null }),
    (error) => ({ value: null, problem: error.message }),
  );
}

async function answerPage(request, response, url) {
  const { user, isNew } = userOf(request, url);
  const headers = contextOf(request);
  // Who is signed in is this service's to say, whatever the browser sent.
  delete headers['end-user'];
  if (user !== '') headers['end-user'] = user;
  const [details, reviews] = await Promise.all([
    settle(ask('details', detailsUrl, '/details/0', headers)),
    settle(ask('reviews', reviewsUrl, '/reviews/0', headers)),
  ]);
  if (url.pathname === '/api/product') {
    sendJson(response, 200, { user, details, reviews });
    return;
  }
  const body = Buffer.from(renderPage({ user, details, reviews }));
  const cookie = { 'set-cookie': `user=${encodeURIComponent(user)}; Path=/; HttpOnly; SameSite=Lax` };
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.length,
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    'cache-control': 'no-store',
    ...(isNew ? cookie : {}),
  });
  response.end(body);
}

serve('productpage', (request, response) => {
  const url = new URL(request.url, 'http://productpage');
  if (url.pathname === '/health') return sendJson(response, 200, { status: 'ok' });
  if (['/', '/productpage', '/api/product'].includes(url.pathname)) return answerPage(request, response, url);
  return sendJson(response, 404, { error: 'the page is at /' });
});
