/** The dashboard's built files. They hold no data, so nobody needs to log in to get them. */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/** Scripts, styles and data from here only; no frames around it, no inline code. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const missingPage =
  '<!doctype html><meta charset="utf-8"><title>Heddle</title><h1>Heddle</h1><p>The dashboard is not built. Run <code>npm run build</code>, then load this page again.</p>';

export interface StaticFile {
  readonly status: 200 | 404;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly body: Uint8Array<ArrayBuffer> | string;
}

/**
 * The file for a URL's path. Paths without an extension are the page's own places, so they get `index.html`. Names below
 * `assets/` carry a hash of their content and may be kept for ever.
 */
export async function readStaticFile(directory: string | undefined, path: string): Promise<StaticFile> {
  const isPage = extname(path) === '';
  const name = isPage ? 'index.html' : decode(path);
  // Taken from the root, so that no number of `..` leads out of it.
  const relative = name === undefined ? '' : normalize(`/${name}`).slice(1);
  const isFile = directory !== undefined && relative !== '' && !relative.includes('\0');
  const body = isFile ? await read(join(directory, relative)) : undefined;
  if (body !== undefined) {
    const isHashed = relative.startsWith(`assets${sep}`);
    return {
      status: 200,
      contentType: contentTypes[extname(relative)] ?? 'application/octet-stream',
      cacheControl: isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      body,
    };
  }
  const cacheControl = 'no-store';
  if (isPage)
    return { status: 200, contentType: 'text/html; charset=utf-8', cacheControl, body: missingPage };
  return {
    status: 404,
    contentType: 'text/plain; charset=utf-8',
    cacheControl,
    body: 'There is no such file.\n',
  };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch {
    return undefined;
  }
}
