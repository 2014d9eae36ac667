import { assertNever } from '../platform/assert-never.ts';

/** The kinds of configuration that have pages, by the plural in their address. */
export const CONFIGURATION_PLURALS = ['virtualservices', 'destinationrules'] as const;
export type ConfigurationPlural = (typeof CONFIGURATION_PLURALS)[number];

/** Everything that the dashboard can show. */
export type Page =
  | { readonly name: 'services' }
  | { readonly name: 'service'; readonly namespace: string; readonly service: string }
  | { readonly name: 'instances' }
  | { readonly name: 'certificates' }
  | { readonly name: 'configuration' }
  | {
      readonly name: 'object';
      readonly plural: ConfigurationPlural;
      readonly namespace: string;
      readonly object: string;
    }
  | { readonly name: 'about' }
  | { readonly name: 'not-found'; readonly path: string };

/** What an address asks for: a page, and the text that lists are filtered by. */
export interface Location {
  readonly page: Page;
  readonly filter: string;
}

/**
 * Reads the fragment of an address, such as `#/services/default/reviews` or `#/instances?q=v2`. Pages live in the
 * fragment so that the control plane serves one file and never sees what people look at.
 */
export function parseLocation(hash: string): Location {
  const text = hash.startsWith('#') ? hash.slice(1) : hash;
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1));
  return { page: pageOf(path), filter: query.get('q') ?? '' };
}

/** The fragment that leads to a page. */
export function hrefOf(page: Page, filter = ''): string {
  return `#${pathOf(page)}${filter === '' ? '' : `?q=${encodeURIComponent(filter)}`}`;
}

/** The token in an address such as `#token=…`, which logs in; null where there is none. */
export function tokenInFragment(hash: string): string | null {
  if (!hash.startsWith('#token=')) return null;
  return new URLSearchParams(hash.slice(1)).get('token');
}

function pageOf(path: string): Page {
  const parts = segments(path);
  const unknown: Page = { name: 'not-found', path };
  if (parts === null) return unknown;
  const [head = '', second, third, fourth] = parts;
  switch (head) {
    case '':
      return { name: 'services' };
    case 'services':
      if (parts.length === 1) return { name: 'services' };
      if (parts.length !== 3 || second === undefined || third === undefined) return unknown;
      return { name: 'service', namespace: second, service: third };
    case 'configuration': {
      if (parts.length === 1) return { name: 'configuration' };
      const plural = CONFIGURATION_PLURALS.find((candidate) => candidate === second);
      if (parts.length !== 4 || plural === undefined || third === undefined || fourth === undefined)
        return unknown;
      return { name: 'object', plural, namespace: third, object: fourth };
    }
    case 'instances':
    case 'certificates':
    case 'about':
      return parts.length === 1 ? { name: head } : unknown;
    default:
      return unknown;
  }
}

function pathOf(page: Page): string {
  switch (page.name) {
    case 'service':
      return `/services/${encodeURIComponent(page.namespace)}/${encodeURIComponent(page.service)}`;
    case 'object':
      return `/configuration/${page.plural}/${encodeURIComponent(page.namespace)}/${encodeURIComponent(page.object)}`;
    case 'not-found':
      return page.path;
    case 'services':
    case 'instances':
    case 'certificates':
    case 'configuration':
    case 'about':
      return `/${page.name}`;
    default:
      return assertNever(page);
  }
}

/** The decoded parts of a path; null where they cannot be decoded. */
function segments(path: string): string[] | null {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  try {
    return trimmed === '' ? [] : trimmed.split('/').map(decodeURIComponent);
  } catch {
    return null;
  }
}
