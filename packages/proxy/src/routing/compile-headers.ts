import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as AppendAction,
} from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { HeaderAction, type HeaderMutation } from './header-mutation.ts';
import { isHeaderName, isHeaderValue } from './header-syntax.ts';

/** The four header lists that route configurations, virtual hosts, routes and weighted clusters have alike. */
export interface HeaderLists {
  readonly requestHeadersToAdd: readonly HeaderValueOption[];
  readonly requestHeadersToRemove: readonly string[];
  readonly responseHeadersToAdd: readonly HeaderValueOption[];
  readonly responseHeadersToRemove: readonly string[];
}

/** The changes that one level makes. */
export interface HeaderChanges {
  readonly request: readonly HeaderMutation[];
  readonly response: readonly HeaderMutation[];
}

export const noHeaderChanges: HeaderChanges = { request: [], response: [] };

// They say where a message ends or whom the connection is for: changing them would break the framing.
const untouchable = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'te',
]);

/** Compiles one level's header lists: removals come before additions. */
export function compileHeaderChanges(lists: HeaderLists, path: string, problems: ProblemList): HeaderChanges {
  const { requestHeadersToAdd, requestHeadersToRemove, responseHeadersToAdd, responseHeadersToRemove } =
    lists;
  const dot = path === '' ? '' : `${path}.`;
  return {
    request: [
      ...removals(requestHeadersToRemove, `${dot}request_headers_to_remove`, problems),
      ...additions(requestHeadersToAdd, `${dot}request_headers_to_add`, problems),
    ],
    response: [
      ...removals(responseHeadersToRemove, `${dot}response_headers_to_remove`, problems),
      ...additions(responseHeadersToAdd, `${dot}response_headers_to_add`, problems),
    ],
  };
}

/** The changes of all levels in the order they apply; null for none. */
export function joinMutations(
  levels: readonly (readonly HeaderMutation[])[],
): readonly HeaderMutation[] | null {
  const all = levels.flat();
  return all.length === 0 ? null : all;
}

function removals(names: readonly string[], path: string, problems: ProblemList): HeaderMutation[] {
  const mutations: HeaderMutation[] = [];
  for (const [index, name] of names.entries()) {
    if (!checkName(name, `${path}[${index}]`, problems)) continue;
    mutations.push({ action: HeaderAction.remove, name: name.toLowerCase(), value: '' });
  }
  return mutations;
}

function additions(
  options: readonly HeaderValueOption[],
  path: string,
  problems: ProblemList,
): HeaderMutation[] {
  const mutations: HeaderMutation[] = [];
  for (const [index, option] of options.entries()) {
    const mutation = addition(option, `${path}[${index}]`, problems);
    if (mutation !== null) mutations.push(mutation);
  }
  return mutations;
}

function addition(option: HeaderValueOption, path: string, problems: ProblemList): HeaderMutation | null {
  const name = option.header?.key ?? '';
  if (!checkName(name, `${path}.header.key`, problems)) return null;
  if (option.header !== undefined && option.header.rawValue.length > 0) {
    problems.unsupported(`${path}.header.raw_value`);
    return null;
  }
  const action = appendAction(option, path, problems);
  const value = literalValue(option.header?.value ?? '', `${path}.header.value`, problems);
  if (action === null || value === null || (value === '' && !option.keepEmptyValue)) return null;
  return { action, name: name.toLowerCase(), value };
}

function checkName(name: string, path: string, problems: ProblemList): boolean {
  if (name.startsWith(':') || untouchable.has(name.toLowerCase())) {
    problems.invalid(path, `the header ${name} must not be changed here`);
    return false;
  }
  if (!isHeaderName(name)) {
    problems.invalid(path, `"${name}" is no header name`);
    return false;
  }
  return true;
}

function appendAction(option: HeaderValueOption, path: string, problems: ProblemList): HeaderAction | null {
  if (option.append !== undefined && option.appendAction !== AppendAction.APPEND_IF_EXISTS_OR_ADD) {
    problems.invalid(`${path}.append`, 'append and append_action exclude each other');
    return null;
  }
  if (option.append !== undefined) return option.append ? HeaderAction.append : HeaderAction.overwrite;
  switch (option.appendAction) {
    case AppendAction.APPEND_IF_EXISTS_OR_ADD:
      return HeaderAction.append;
    case AppendAction.ADD_IF_ABSENT:
      return HeaderAction.addIfAbsent;
    case AppendAction.OVERWRITE_IF_EXISTS_OR_ADD:
      return HeaderAction.overwrite;
    case AppendAction.OVERWRITE_IF_EXISTS:
      return HeaderAction.overwriteIfExists;
    default:
      problems.invalid(`${path}.append_action`, `${option.appendAction} is not known`);
      return null;
  }
}

const formatOperator = /%[^%]+%/g;

/** A value without Envoy's `%OPERATORS%`, which are not done here; `%%` is a percent sign. */
function literalValue(text: string, path: string, problems: ProblemList): string | null {
  const unescaped = text.replaceAll('%%', '');
  if (unescaped.includes('%')) {
    const operators = unescaped.match(formatOperator) ?? [];
    const hint = 'a percent sign that stands for itself is written %%';
    if (operators.length === 0) problems.invalid(path, `"${text}" holds a single percent sign`, hint);
    else {
      const what = operators.length === 1 ? 'the format operator' : 'each of the format operators';
      problems.unsupported(path, `${what} ${operators.join(', ')}`, `give the value itself; ${hint}`);
    }
    return null;
  }
  const value = text.replaceAll('%%', '%');
  if (isHeaderValue(value)) return value;
  problems.invalid(path, 'holds characters that no header value may hold');
  return null;
}
