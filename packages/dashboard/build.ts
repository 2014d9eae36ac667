import { buildDashboard } from './tools/build-dashboard.ts';

await buildDashboard();
