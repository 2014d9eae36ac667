// Knows which runtimes ignore the proxy variables that `heddle run` sets.
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

/** Why an application's calls would go past the mesh, and what to do about it. */
export interface ProxyDeafness {
  readonly message: string;
  readonly hint: string;
}

/** Whether a Node.js of this version (`v22.21.0`) honours NODE_USE_ENV_PROXY in `http.request` and `fetch`. */
export function nodeHonoursProxy(version: string): boolean {
  const match = /^v?(\d+)\.(\d+)\./.exec(version);
  if (match === null) return true;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major === 22) return minor >= 21;
  if (major === 24) return minor >= 5;
  return major >= 25;
}

/**
 * Judges a runtime by its executable. Knows only those that ignore the variables for certain; everything else (Go,
 * Python, Ruby, curl, .NET, …) reads them or can't be judged from outside.
 */
export async function proxyDeafness(executable: string): Promise<ProxyDeafness | null> {
  const name = basename(executable);
  if (name === 'java') {
    return {
      message: 'java ignores HTTP_PROXY: calls of the application to other services would go past the mesh',
      hint: 'name them with --upstream ratings:9080 and call {{ratings}}, or give java -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort={{proxy-port}}',
    };
  }
  if (!/^node(?:js)?$/.test(name)) return null;
  const version = await promisify(execFile)(executable, ['--version'], { timeout: 5000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  if (version === '' || nodeHonoursProxy(version)) return null;
  return {
    message: `Node ${version} ignores HTTP_PROXY: calls of the application to other services would go past the mesh`,
    hint: 'name them with --upstream ratings:9080 and call the address in RATINGS_URL, or use Node 22.21, 24.5 or newer',
  };
}
