// `npm start`: builds the dashboard where it is stale, then becomes `heddle demo` with the arguments given.
import { join } from 'node:path';
import { ensureDashboardBuilt } from '../packages/dashboard/tools/ensure-built.ts';
import { root } from './commands.ts';

await ensureDashboardBuilt();
// Replacing this process keeps signals and the exit code the demo's own. Node.js calls execve experimental.
process.removeAllListeners('warning');
const launcher = join(root, 'packages/cli/bin/heddle');
process.execve!(launcher, [launcher, 'demo', ...process.argv.slice(2)], process.env);
