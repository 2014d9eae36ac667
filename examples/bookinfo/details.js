// details: facts about a book. The twin of details.py, for machines without Python.
import { pathOf, sendJson, serve } from './service.js';

const book = {
  title: 'Silas Marner',
  subtitle: 'The Weaver of Raveloe',
  author: 'George Eliot',
  year: 1861,
  publisher: 'William Blackwood and Sons',
  language: 'English',
};

serve('details', (request, response) => {
  const [, id] = /^\/details\/(\d+)$/.exec(pathOf(request)) ?? [];
  if (pathOf(request) === '/health') sendJson(response, 200, { status: 'ok' });
  else if (id === undefined) sendJson(response, 404, { error: 'ask for /details/0' });
  else sendJson(response, 200, { id: Number(id), ...book, servedBy: 'Node.js' });
});
