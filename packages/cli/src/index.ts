export { runWorkload } from './supervisor/run-workload.ts';
export type {
  PublishedWorkload,
  Upstream,
  WorkloadContext,
  WorkloadOptions,
  WorkloadOutput,
} from './supervisor/workload-options.ts';
