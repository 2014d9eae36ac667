// Preloaded into a program (`NODE_OPTIONS=--import=…`): writes down every module it loads, one URL a line, into a file of
// its own in the directory that HEDDLE_MODULE_RECORD names. The first line is the program's command line as JSON.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const directory = process.env['HEDDLE_MODULE_RECORD'];
if (directory !== undefined) {
  const file = join(directory, `${process.pid}-${threadId}.modules`);
  appendFileSync(file, `${JSON.stringify(process.argv)}\n`);
  registerHooks({
    load: (url, context, nextLoad) => {
      appendFileSync(file, `${url}\n`);
      return nextLoad(url, context);
    },
  });
}
