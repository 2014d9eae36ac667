import type { ProblemList } from '../config/problem-list.ts';
import { isHeaderName } from './header-syntax.ts';
import type { ClusterHeader } from './route-match.ts';

/** What gives clusters their places. */
export interface TargetContext<C> {
  /** Gives the cluster for a name; called for every cluster that a route names, with the place of the name. */
  readonly resolveCluster: (name: string, path: string) => C;
  /** Knows the clusters that requests may name. */
  readonly findCluster: (name: string) => C | null;
}

/** Where a request is forwarded to. */
export interface Target<C> {
  readonly clusterName: string;
  readonly clusterHeader: ClusterHeader<C> | null;
  readonly cluster: C | null;
}

export const noTarget = { clusterName: '', clusterHeader: null, cluster: null } as const;

/** The field in which a request names its cluster, itself named by `cluster_header`. */
export function namedByRequest<C>(
  name: string,
  context: TargetContext<C>,
  path: string,
  problems: ProblemList,
): Target<C> {
  if (name !== '' && !isHeaderName(name) && !pseudoHeaders.has(name))
    problems.invalid(path, `"${name}" is no header name`);
  return { ...noTarget, clusterHeader: { name: name.toLowerCase(), find: context.findCluster } };
}

const pseudoHeaders = new Set([':authority', ':method', ':path', ':scheme']);
