// Changes of header fields, as VirtualServices write them.
import type { HeaderRules } from '../schema/virtual-service.ts';
import type { HeaderChanges, HeaderOperations } from './route-model.ts';

// They say where a message ends or whom the connection is for: no proxy lets routes change them.
const untouchable = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'te',
]);

/** Whether routes may change a field. */
export function isChangeable(name: string): boolean {
  return !name.startsWith(':') && !untouchable.has(name.toLowerCase());
}

/** Whether a field is the request's authority, which is set by rewriting it. */
export function isAuthority(name: string): boolean {
  return name.toLowerCase() === 'host' || name === ':authority';
}

/** What a rule or destination sets the request's authority to; null for nothing. */
export function splitAuthority(headers: HeaderRules | undefined): { readonly authority: string | null } {
  const found = Object.entries(headers?.request?.set ?? {}).find(([name]) => isAuthority(name));
  return { authority: found?.[1] ?? null };
}

/** Null where nothing is changed. */
export function compileHeaderChanges(headers: HeaderRules | undefined): HeaderChanges | null {
  const request = compileOperations(headers?.request);
  const response = compileOperations(headers?.response);
  return request === null && response === null ? null : { request, response };
}

function compileOperations(written: HeaderRules['request']): HeaderOperations | null {
  const { set = {}, add = {}, remove = [] } = written ?? {};
  const operations = {
    set: Object.entries(set).filter(([name]) => isChangeable(name)),
    add: Object.entries(add).filter(([name]) => isChangeable(name)),
    remove: remove.filter(isChangeable),
  };
  return Object.values(operations).every(({ length }) => length === 0) ? null : operations;
}
