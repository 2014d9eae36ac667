// The control plane of a measurement, in a process of its own: `control-plane SERVICES ENDPOINTS RESPONSE_BYTES`. Prints its port;
// changes one service's endpoints for each line it is given.
import { createInterface } from 'node:readline';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@heddle/base';
import { DeltaServer, deltaAdsMethod } from '@heddle/xds/server';
import { LargeMesh } from './configuration.ts';
import { createGrpcServer } from './grpc-server.ts';

const [services = '1000', endpoints = '10', responseBytes = '65536'] = process.argv.slice(2);
const mesh = new LargeMesh(Number(services), Number(endpoints));
const delta = new DeltaServer({
  source: mesh,
  clock: systemClock,
  maxResponseBytes: Number(responseBytes),
  hooks: { onNack: (_client, rejected) => console.error(rejected) },
});
const server = createGrpcServer(new Map([[deltaAdsMethod, delta.method]]));
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`));
let changed = 0;
createInterface(process.stdin)
  .on('line', () => mesh.change(changed++ % Number(services)))
  .on('close', () => process.exit());
