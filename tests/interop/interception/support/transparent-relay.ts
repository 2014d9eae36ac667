// The engine alone behind TPROXY: passes each connection on to where it was meant to go, from where it came.
import { silentLogger, systemClock } from '@heddle/base';
import type { Connection, ConnectionHandler, TransportError } from '@heddle/proxy';
import { openTransport } from '@heddle/proxy/open-transport';
import { originalDestinationProvider } from '@heddle/proxy/original-destination';

/** One direction of a relayed connection. */
class Half implements ConnectionHandler {
  other: Connection | null = null;

  onConnect(): void {
    // Nothing was read before.
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.other!.write(buffer, start, end);
  }

  onEnd(): void {
    this.other!.end();
  }

  onDrain(): void {
    // Greetings are short.
  }

  onClose(error: TransportError | null): void {
    if (error !== null) process.stdout.write(`failed: ${error.detail}\n`);
    this.other?.destroy();
  }
}

const mark = Number(process.argv[2]);
const transport = openTransport(systemClock, silentLogger);
const destinations = originalDestinationProvider(true);
const address = { host: '::', port: 15_006 };
try {
  await transport.listen({ address, security: null, isTransparent: true }, (connection) => {
    const destination = destinations.lookup(connection)!;
    process.stdout.write(`relay ${destination.host} ${destination.port}\n`);
    const client = new Half();
    const server = new Half();
    client.other = transport.connect(
      {
        address: destination,
        security: null,
        timeoutMs: 3000,
        source: { host: connection.remoteAddress, isTransparent: true, mark },
      },
      server,
    );
    server.other = connection;
    return client;
  });
  process.stdout.write('listening\n');
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
