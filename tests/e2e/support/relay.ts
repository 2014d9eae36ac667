// A TCP relay between two sidecars that keeps a copy of all bytes it passes on.
import { connect, type Socket } from 'node:net';
import { startTcpServer, type TestServer } from '@heddle/testkit';

/** The bytes of one connection, by direction. */
export interface RelayedConnection {
  readonly fromClient: Buffer[];
  readonly fromServer: Buffer[];
}

export interface Relay {
  readonly server: TestServer;
  readonly connections: readonly RelayedConnection[];
}

function pass(from: Socket, to: Socket, copy: Buffer[]): void {
  from.on('data', (chunk: Buffer) => {
    copy.push(chunk);
    to.write(chunk);
  });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
}

/** Starts a relay to a port of the loopback address. */
export async function startRelay(targetPort: number): Promise<Relay> {
  const connections: RelayedConnection[] = [];
  const server = await startTcpServer((client) => {
    const connection: RelayedConnection = { fromClient: [], fromServer: [] };
    connections.push(connection);
    const upstream = connect({ host: '127.0.0.1', port: targetPort });
    pass(client, upstream, connection.fromClient);
    pass(upstream, client, connection.fromServer);
  });
  return { server, connections };
}
