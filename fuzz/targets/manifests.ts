import { parseManifests } from '@heddle/model';
import { bytesOf, type FuzzTarget } from '../target.ts';

const virtualService = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    - match: [{headers: {end-user: {exact: jason}}}]
      route: [{destination: {host: reviews, subset: v2}, weight: 100}]
    - route: &r
        - destination: {host: reviews, subset: v1}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}]}
`;

/** Whatever a user writes, it is read or refused with problems, never with an exception. */
export const manifests: FuzzTarget = {
  name: 'manifests',
  seeds: [virtualService, 'a: b', '- [1, {x: *r}]', '{"apiVersion": "v1"}', '%YAML 1.2\n--- !!str a\n'].map(
    bytesOf,
  ),
  run: (input) => {
    parseManifests([{ name: 'fuzz.yaml', text: Buffer.from(input).toString('utf8') }], {
      namespace: 'default',
    });
  },
};
