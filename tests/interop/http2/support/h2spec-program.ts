import { homedir } from 'node:os';
import { join } from 'node:path';
import { findProgram, runChild } from '@heddle/testkit';

const version = 'v2.2.1+incompatible';

/**
 * h2spec, the conformance tests for servers of HTTP/2: HEDDLE_H2SPEC, or `h2spec` in PATH; else it is built once where Go is
 * installed. Null where there is neither.
 */
export async function findH2spec(): Promise<string | null> {
  const named = process.env['HEDDLE_H2SPEC'];
  if (named !== undefined && named !== '') return findProgram(named);
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'heddle', `h2spec-${version}`);
  const built = findProgram('h2spec') ?? findProgram(join(directory, 'h2spec'));
  if (built !== null) return built;
  const go = findProgram('go') ?? findProgram('/usr/local/go/bin/go');
  if (go === null) return null;
  await runChild(
    go,
    {
      arguments: ['install', `github.com/summerwind/h2spec/cmd/h2spec@${version}`],
      environment: { GOBIN: directory },
    },
    120_000,
  );
  return findProgram(join(directory, 'h2spec'));
}
