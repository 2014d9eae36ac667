import { testConnections } from './support/connections.ts';

testConnections({ idle: 1000, slow: 300, recovers: false });
