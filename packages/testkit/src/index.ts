export * from './network/in-memory-network.ts';
export * from './network/in-memory-rpc.ts';
export * from './seeded-random.ts';
export * from './transport-contract.ts';
export * from './virtual-clock.ts';
