import { compileMesh } from '@heddle/model';
import type { RoutesClient } from '../compile/route-resources.ts';
import { ScopeView } from '../compile/scope-view.ts';

const empty = compileMesh({ objects: [], services: [] });

/** A client of a namespace for which no Sidecar says anything. */
export function anyone(namespace = 'default', labels: Readonly<Record<string, string>> = {}): RoutesClient {
  return { namespace, labels, view: new ScopeView(empty.scoping.resolve(namespace, labels), empty) };
}
