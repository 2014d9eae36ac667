import { testConnections } from '../load/support/connections.ts';

testConnections({ idle: 10_000, slow: 1000, recovers: true });
