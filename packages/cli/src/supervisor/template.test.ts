import assert from 'node:assert/strict';
import { test } from 'node:test';
import { templateValues } from './environment.ts';
import { fillTemplates } from './template.ts';

const values = new Map([
  ['port', '20001'],
  ['ratings', '127.0.0.1:20002'],
]);

test('replaces templates anywhere in an argument', () => {
  assert.deepEqual(fillTemplates(['./a', '-p={{port}}', 'http://{{ratings}}/x?{{port}}'], values), [
    './a',
    '-p=20001',
    'http://127.0.0.1:20002/x?20001',
  ]);
});

test("leaves the application's own double braces alone", () => {
  const own = ['{{.Names}}', '{{ port }}', '{{#each}}'];
  assert.deepEqual(fillTemplates(own, values), own);
});

test('makes two braces of four', () => {
  assert.deepEqual(fillTemplates(['a={{{{port}}}}', '{{{{x}}}}{{port}}'], values), [
    'a={{port}}',
    '{{x}}20001',
  ]);
});

test('refuses a template that nobody knows, names the known ones and how to write it as text', () => {
  assert.throws(() => fillTemplates(['{{nothing}}'], values), {
    exitCode: 2,
    message: /unknown template \{\{nothing\}\}/,
    hint: 'Known: {{port}}, {{ratings}}; write {{{{nothing}}}} for the text {{nothing}}',
  });
  assert.throws(() => fillTemplates(['{{PORT}}'], values), { hint: /^did you mean \{\{port\}\}\?/ });
});

test('names the nearest template', () => {
  assert.throws(() => fillTemplates(['{{rating}}'], values), { exitCode: 2, hint: /\{\{ratings\}\}/ });
});

test("refuses an upstream whose name is one of Heddle's own templates", () => {
  const bind = { address: '127.0.0.1', port: 1 };
  const upstreams = [{ name: 'proxy', host: 'proxy.default.svc.cluster.local', port: 80, bind }];
  assert.throws(() => templateValues({ appPort: 1, outboundProxy: bind, upstreams }), { exitCode: 2 });
});
