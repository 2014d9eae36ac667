import { type MeshObject, isHostRule } from '../manifest/object.ts';

/** How a Kubernetes Service says what others say by `exportTo`: names with commas between them. */
const exportAnnotation = 'networking.istio.io/exportTo';

/** Whether an object is exported to clients of a namespace: to everybody unless `exportTo` says otherwise. */
export function isVisible(object: MeshObject, namespace: string): boolean {
  const exportTo = exportsOf(object);
  if (exportTo === undefined || exportTo.length === 0) return true;
  return exportTo.some((target) => {
    if (target === '.') return namespace === object.metadata.namespace;
    return target === '*' || target === namespace;
  });
}

/** The namespaces that `exportTo` names, `.` resolved; empty where it is everybody. */
export function namedNamespaces(object: MeshObject): string[] {
  const exportTo = exportsOf(object) ?? [];
  return exportTo
    .filter((target) => target !== '*' && target !== '~')
    .map((target) => (target === '.' ? object.metadata.namespace : target));
}

function exportsOf(object: MeshObject): readonly string[] | undefined {
  if (object.kind === 'Service') {
    const text = object.metadata.annotations?.[exportAnnotation];
    return text === undefined ? undefined : text.split(',').map((target) => target.trim());
  }
  return isHostRule(object) || object.kind === 'ServiceEntry' ? object.spec.exportTo : undefined;
}
