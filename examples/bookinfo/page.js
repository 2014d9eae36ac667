// Renders the product page. One document, no scripts, nothing loaded from elsewhere.

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const text = (value) => String(value).replaceAll(/[&<>"']/g, (character) => escapes[character]);

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --faint: #5c6675; --paper: #fbfaf7; --card: #fff; --line: #e3e0d8;
  --accent: #285e61; --red: #c02a2a; --black: #1c2430; --warn: #8a4b08; --warn-paper: #fdf3e3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --faint: #a2abb8; --paper: #15181d; --card: #1d2127;
  --line: #31363f; --accent: #7fc4c0; --red: #ff7b72; --black: #f0eee9; --warn: #f0b060; --warn-paper: #2b2418; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 Georgia, 'Times New Roman', serif; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; justify-content: space-between; }
.shop { font-size: 1.2rem; letter-spacing: .02em; }
form, .user { display: flex; gap: .5rem; align-items: center; font: 15px/1.4 system-ui, sans-serif; }
input { font: inherit; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--card); color: inherit; width: 9rem; }
button { font: inherit; padding: .35rem .9rem; border: 0; border-radius: .4rem; background: var(--accent);
  color: var(--paper); cursor: pointer; }
a { color: var(--accent); }
main { display: grid; grid-template-columns: 11rem 1fr; gap: 1rem 2.5rem; }
@media (max-width: 40rem) { main { grid-template-columns: 1fr; } .cover { max-width: 11rem; } }
.cover { aspect-ratio: 2 / 3; border-radius: .3rem; padding: 1.2rem 1rem; color: #f6efe0; display: flex;
  flex-direction: column; justify-content: space-between; box-shadow: 0 .4rem 1.2rem rgb(0 0 0 / .25);
  background: repeating-linear-gradient(90deg, #ffffff12 0 2px, transparent 2px 7px),
  repeating-linear-gradient(0deg, #00000018 0 2px, transparent 2px 7px), #285e61; }
.cover b { font-size: 1.35rem; line-height: 1.15; }
h1 { margin: 0; font-size: 2.1rem; line-height: 1.15; font-weight: 600; }
.by { color: var(--faint); margin: .3rem 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 0;
  font: 15px/1.5 system-ui, sans-serif; }
dt { color: var(--faint); } dd { margin: 0; }
section { grid-column: 1 / -1; border-top: 1px solid var(--line); padding-top: 1rem; }
h2 { font-size: 1.3rem; margin: 0 0 .8rem; display: flex; gap: .8rem; align-items: baseline; flex-wrap: wrap; }
.version { font: 600 14px/1.4 system-ui, sans-serif; padding: .1rem .6rem; border-radius: 1rem; color: var(--accent);
  border: 1px solid currentColor; }
blockquote { margin: 0 0 1rem; padding: .9rem 1.1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; }
blockquote p { margin: 0 0 .4rem; }
cite { font-style: normal; color: var(--faint); font-size: 15px; }
.stars { letter-spacing: .1em; margin-left: .6rem; } .red { color: var(--red); } .black { color: var(--black); }
.problem { grid-column: 1 / -1; padding: .8rem 1rem; border-radius: .5rem; background: var(--warn-paper);
  color: var(--warn); font: 15px/1.5 system-ui, sans-serif; }
footer { color: var(--faint); font: 14px/1.5 system-ui, sans-serif; }
`;

function renderUser(user) {
  if (user === '') {
    return `<form><label for="user">Sign in as</label><input id="user" name="user" placeholder="jason" required
      pattern="[A-Za-z0-9_.@\\-]{1,64}" autocomplete="off"><button>Sign in</button></form>`;
  }
  return `<div class="user">Signed in as <b>${text(user)}</b> <a href="/?user=">sign out</a></div>`;
}

function problem(what, reason) {
  return `<p class="problem">${what} right now: ${text(reason)}</p>`;
}

function renderDetails({ value, problem: reason }) {
  if (value === null) return problem("The book's details are not to be had", reason);
  const facts = { Published: value.year, Publisher: value.publisher, Language: value.language };
  const rows = Object.entries(facts).map(([name, fact]) => `<dt>${name}</dt><dd>${text(fact)}</dd>`);
  return `<div class="cover" aria-hidden="true"><b>${text(value.title)}</b><span>${text(value.author)}</span></div>
    <div><h1>${text(value.title)}</h1><p class="by">${text(value.subtitle)}, by ${text(value.author)}</p>
    <dl>${rows.join('')}<dt>Served by</dt><dd>details (${text(value.servedBy)})</dd></dl></div>`;
}

function renderStars({ stars, color }) {
  if (stars === null) return '';
  const drawn = '★'.repeat(stars) + '☆'.repeat(5 - stars);
  return `<span class="stars ${color === 'red' ? 'red' : 'black'}" role="img" aria-label="${stars} of 5 stars">${drawn}</span>`;
}

function renderReviews({ value, problem: reason }) {
  if (value === null)
    return `<section><h2>Reviews</h2>${problem('The reviews are not to be had', reason)}</section>`;
  const quotes = value.reviews.map(
    (review) =>
      `<blockquote><p>${text(review.text)}</p><cite>${text(review.reader)}</cite>${renderStars(review)}</blockquote>`,
  );
  const missing = value.problem === undefined ? '' : problem('The stars are not to be had', value.problem);
  return `<section><h2>Reviews <span class="version">reviews ${text(value.version)}</span></h2>
    ${quotes.join('\n    ')}${missing}</section>`;
}

/** The whole page. `details` and `reviews` are answers or reasons why there are none. */
export function renderPage({ user, details, reviews }) {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(details.value?.title ?? 'The Raveloe Bookshop')}</title><style>${style}</style></head>
<body>
<header><span class="shop">The Raveloe Bookshop</span>${renderUser(user)}</header>
<main>${renderDetails(details)}
${renderReviews(reviews)}</main>
<footer>Reload the page: another version of reviews may answer. Version 1 shows no stars, version 2 black ones,
version 3 red ones.</footer>
</body>
</html>
`;
}
