// Preloaded into a program (`NODE_OPTIONS=--import=…`): writes down every module it loads, one URL a line, into a file of
// its own in the directory that HEDDLE_MODULE_RECORD names. The first line is the program's command line as JSON. When it
// ends, the modules of Node.js follow that are there by then, whoever had them loaded.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const directory = process.env['HEDDLE_MODULE_RECORD'];
if (directory !== undefined) {
  const file = join(directory, `${process.pid}-${threadId}.modules`);
  appendFileSync(file, `${JSON.stringify(process.argv)}\n`);
  process.on('exit', () => {
    // Not documented, and as old as Node.js; its type leaves it out.
    const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
    const names = moduleLoadList.flatMap((entry) => entry.match(/^NativeModule (.*)/)?.[1] ?? []);
    appendFileSync(file, names.map((name) => `loaded ${name}\n`).join(''));
  });
  registerHooks({
    load: (url, context, nextLoad) => {
      appendFileSync(file, `${url}\n`);
      return nextLoad(url, context);
    },
  });
}
