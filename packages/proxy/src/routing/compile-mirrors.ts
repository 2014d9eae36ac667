import type { RouteAction_RequestMirrorPolicy as MirrorMessage } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { compileFraction } from './compile-matchers.ts';
import { namedByRequest, type TargetContext } from './compile-target.ts';
import type { MirrorPolicy } from './mirror-policy.ts';

/** Compiles `request_mirror_policies`; null where there are none. */
export function compileMirrors<C>(
  policies: readonly MirrorMessage[],
  context: TargetContext<C>,
  path: string,
  problems: ProblemList,
): readonly MirrorPolicy<C>[] | null {
  if (policies.length === 0) return null;
  return policies.map(({ cluster, clusterHeader, runtimeFraction, disableShadowHostSuffixAppend }, index) => {
    const place = `${path}[${index}]`;
    if (cluster === '' && clusterHeader === '')
      problems.invalid(place, 'needs one of cluster, cluster_header');
    if (cluster !== '' && clusterHeader !== '')
      problems.invalid(`${place}.cluster_header`, 'excludes cluster');
    const target =
      clusterHeader === ''
        ? {
            cluster: cluster === '' ? null : context.resolveCluster(cluster, `${place}.cluster`),
            clusterHeader: null,
          }
        : namedByRequest(clusterHeader, context, `${place}.cluster_header`, problems);
    return {
      cluster: target.cluster,
      clusterHeader: target.clusterHeader,
      fraction:
        runtimeFraction === undefined
          ? null
          : compileFraction(
              runtimeFraction.defaultValue,
              `${place}.runtime_fraction.default_value`,
              problems,
            ),
      marksHost: !disableShadowHostSuffixAppend,
    };
  });
}
