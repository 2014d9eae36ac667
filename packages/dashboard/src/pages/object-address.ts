import type { ObjectWithStatus } from '../generated/api.ts';
import type { Page } from '../router/page.ts';

/** The page of an object. */
export function pageOfObject(object: ObjectWithStatus): Page {
  return {
    name: 'object',
    plural: object.kind === 'DestinationRule' ? 'destinationrules' : 'virtualservices',
    namespace: object.metadata.namespace,
    object: object.metadata.name,
  };
}
