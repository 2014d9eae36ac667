import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { silentLogger, systemClock } from '@heddle/base';
import { RecordingHandler, eventually } from '@heddle/testkit';
import { openTransport } from '../transport/open-transport.ts';
import type { Connection } from '../transport/transport.ts';
import { originalDestinationProvider } from './original-destination.ts';

const isLinux = process.platform === 'linux';
const module = new URL('original-destination.ts', import.meta.url).href;

/** Runs a line of code in a Node of its own; the module is there as `m`. */
function runAlone(code: string, ...flags: string[]): { readonly stdout: string; readonly stderr: string } {
  const program = `import * as m from '${module}'; ${code}`;
  return spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], { encoding: 'utf8' });
}

describe('the original destination', () => {
  test('behind TPROXY it is the address of the socket, told without the C library', () => {
    const provider = originalDestinationProvider(true);
    const address = (localAddress: string) => ({ fileDescriptor: -1, localAddress, localPort: 8080 });
    assert.deepEqual(provider.lookup(address('10.0.0.7')), { host: '10.0.0.7', port: 8080 });
    assert.deepEqual(provider.lookup(address('::ffff:10.0.0.7')), { host: '10.0.0.7', port: 8080 });
    assert.equal(provider.lookup(address('')), null);
  });

  test('is unknown for a connection without a socket', { skip: !isLinux && 'Linux only' }, () => {
    const provider = originalDestinationProvider(false);
    assert.equal(provider.lookup({ fileDescriptor: -1, localAddress: '127.0.0.1', localPort: 1 }), null);
    assert.equal(provider.lookup({ fileDescriptor: 99_999, localAddress: '127.0.0.1', localPort: 1 }), null);
  });

  test(
    'loads nothing before it is asked for, and prints no warning then',
    { skip: !isLinux && 'Linux only' },
    () => {
      const loaded = `process.moduleLoadList.includes('NativeModule ffi')`;
      const { stdout, stderr } = runAlone(
        `console.log(${loaded}); m.originalDestinationProvider(false); console.log(${loaded});` +
          `process.emitWarning('another', 'ExperimentalWarning');`,
      );
      assert.equal(stdout, 'false\ntrue\n');
      assert.match(stderr, /another/);
      assert.doesNotMatch(stderr, /FFI/);
    },
  );

  test('says what is missing where Node has no FFI', { skip: !isLinux && 'Linux only' }, () => {
    const { stdout } = runAlone(
      `try { m.originalDestinationProvider(false) } catch (error) { console.log(error.code + ' ' + error.message) }`,
      '--no-experimental-ffi',
    );
    assert.match(
      stdout,
      /^HEDDLE_INTERCEPTION_UNAVAILABLE interception of traffic needs node:ffi, which Node v26/,
    );
  });
});

describe("a connection's file descriptor", () => {
  test('is the one the system knows, for accepted and own connections', async () => {
    const transport = openTransport(systemClock, silentLogger);
    const accepted: Connection[] = [];
    const address = { host: '127.0.0.1', port: 0 };
    const listener = await transport.listen({ address, security: null }, (connection) => {
      accepted.push(connection);
      return new RecordingHandler();
    });
    const own = transport.connect(
      { address: listener.address, security: null, timeoutMs: 5000 },
      new RecordingHandler(),
    );
    await eventually('the connection is accepted', () => accepted.length === 1, 5000, 1);
    const numbers = [own.fileDescriptor, accepted[0]!.fileDescriptor];
    assert.ok(
      numbers.every((fd) => fd > 2),
      numbers.join(),
    );
    assert.notEqual(numbers[0], numbers[1]);
    own.destroy();
    await eventually('the connection is gone', () => own.fileDescriptor === -1, 5000, 1);
    await listener.close();
  });
});
