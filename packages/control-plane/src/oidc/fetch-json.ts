import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { FetchJson } from './issuer-keys.ts';
import { isLoopback } from '../api/loopback.ts';

const timeoutMs = 5000;
const maxBytes = 1024 * 1024;

/** Whether something may be fetched from there: by TLS, or from this machine. */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')));
}

/** Fetches JSON, by TLS with the system's roots, or with those of `ca`, PEM. Follows no redirects. */
export function jsonFetcher(ca: Uint8Array | undefined): FetchJson {
  return async (url) => {
    if (!isTrustworthy(url)) throw new Error(`${url} is not https`);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const signal = AbortSignal.timeout(timeoutMs);
    const options = { headers: { accept: 'application/json' }, signal, agent: false as const };
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const request = get(
      url,
      { ...options, ...(ca === undefined ? {} : { ca: Buffer.from(ca) }) },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > maxBytes)
            request.destroy(new Error(`${url} answers with more than ${maxBytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          if (response.statusCode !== 200) return reject(new Error(`${url} answers ${response.statusCode}`));
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch {
            reject(new Error(`${url} does not answer with JSON`));
          }
        });
      },
    );
    request.on('error', reject);
    return await promise;
  };
}
