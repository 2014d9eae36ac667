import { fileURLToPath } from 'node:url';

export type { BindAddress, SidecarOptions, UpstreamListener } from './sidecar/options.ts';
export type { FromSidecar, ToSidecar } from './sidecar/messages.ts';
export { environmentOfSockets } from './sidecar/hand-over.ts';
export { meshSecurity } from './tls/mesh-security.ts';
export { describeAddress, hostAndPort, isUnixAddress } from './transport/address.ts';
export type * from './transport/datagrams.ts';
export type * from './transport/transport.ts';
export type * from './tls/link-security.ts';

/** The program of a sidecar: started with the path of its options file as the only argument. */
export const sidecarEntry: string = fileURLToPath(new URL('./sidecar/main.ts', import.meta.url));
