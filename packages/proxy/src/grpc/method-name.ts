// Hot path.

/** The longest name that gets series of its own: longer ones are nobody's method. */
const maxNameLength = 250;

/** What a gRPC path calls: `/package.Service/Method`. */
export interface MethodName {
  readonly service: string;
  readonly method: string;
}

/** The path that names a method, without query and with single slashes; empty where it names none. */
export function methodPath(path: string): string {
  const query = path.indexOf('?');
  const name = query < 0 ? path : path.slice(0, query);
  const middle = name.indexOf('/', 1);
  // Nearly always there are two slashes, and nothing is made.
  if (
    name.charCodeAt(0) === 0x2f &&
    middle > 1 &&
    middle < name.length - 1 &&
    name.indexOf('/', middle + 1) < 0
  )
    return name.length > maxNameLength ? '' : name;
  const parts = name.split('/').filter((part) => part !== '');
  return parts.length === 2 && name.length <= maxNameLength ? `/${parts.join('/')}` : '';
}

/** The parts of what `methodPath` returned. */
export function methodName(methodPath: string): MethodName {
  const middle = methodPath.indexOf('/', 1);
  return { service: methodPath.slice(1, middle), method: methodPath.slice(middle + 1) };
}
