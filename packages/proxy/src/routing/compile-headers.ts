import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as AppendAction,
} from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import { type FormattedMessage, type HeaderFormat, compileHeaderFormat } from '@heddle/telemetry';
import { Field } from '../codec/field.ts';
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

/** Compiles one level's header lists. As in Envoy removals come first, then what overwrites, then what is added. */
export function compileHeaderChanges(lists: HeaderLists, path: string, problems: ProblemList): HeaderChanges {
  const { requestHeadersToAdd, requestHeadersToRemove, responseHeadersToAdd, responseHeadersToRemove } =
    lists;
  const dot = path === '' ? '' : `${path}.`;
  return {
    request: [
      ...removals(requestHeadersToRemove, `${dot}request_headers_to_remove`, problems),
      ...compileAdditions(requestHeadersToAdd, 'request', `${dot}request_headers_to_add`, problems),
    ],
    response: [
      ...removals(responseHeadersToRemove, `${dot}response_headers_to_remove`, problems),
      ...compileAdditions(responseHeadersToAdd, 'response', `${dot}response_headers_to_add`, problems),
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
    mutations.push({ ...unchanged, action: HeaderAction.remove, name: name.toLowerCase() });
  }
  return mutations;
}

const unchanged: Omit<HeaderMutation, 'action' | 'name'> = {
  field: null,
  value: -1,
  keepsEmpty: false,
  formats: null,
};

/** What a `HeaderValueOption` says. */
interface Addition {
  readonly action: HeaderAction;
  readonly name: string;
  readonly value: string | HeaderFormat;
  readonly keepsEmpty: boolean;
}

/** Compiles a list of fields to add. */
export function compileAdditions(
  options: readonly HeaderValueOption[],
  message: FormattedMessage,
  path: string,
  problems: ProblemList,
): HeaderMutation[] {
  const compiled: Addition[] = [];
  for (const [index, option] of options.entries()) {
    const one = addition(option, message, `${path}[${index}]`, problems);
    if (one !== null) compiled.push(one);
  }
  const overwrites = compiled.filter(({ action }) => isOverwrite(action));
  const others = compiled.filter(({ action }) => !isOverwrite(action));
  return mutationsOf([...overwrites, ...others]);
}

function isOverwrite(action: HeaderAction): boolean {
  return action === HeaderAction.overwrite || action === HeaderAction.overwriteIfExists;
}

/** The first change has all values worked out: none of them sees what another one of the same level does. */
function mutationsOf(list: readonly Addition[]): HeaderMutation[] {
  const formats: HeaderFormat[] = [];
  const mutations = list.map(({ action, name, value, keepsEmpty }) => {
    const change = { ...unchanged, action, name, keepsEmpty };
    if (typeof value === 'string') return { ...change, field: new Field(name, value) };
    return { ...change, value: formats.push(value) - 1 };
  });
  const [first, ...rest] = mutations;
  return first === undefined || formats.length === 0 ? mutations : [{ ...first, formats }, ...rest];
}

function addition(
  option: HeaderValueOption,
  message: FormattedMessage,
  path: string,
  problems: ProblemList,
): Addition | null {
  const name = option.header?.key ?? '';
  if (!checkName(name, `${path}.header.key`, problems)) return null;
  if (option.header !== undefined && option.header.rawValue.length > 0) {
    problems.unsupported(`${path}.header.raw_value`);
    return null;
  }
  const action = appendAction(option, path, problems);
  const value = compileValue(option.header?.value ?? '', message, `${path}.header.value`, problems);
  const keepsEmpty = option.keepEmptyValue;
  if (action === null || value === null || (value === '' && !keepsEmpty)) return null;
  return { action, name: name.toLowerCase(), value, keepsEmpty };
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

/** A value with Envoy's `%OPERATORS%`; a string where there are none, or none that depends on the request. */
function compileValue(
  text: string,
  message: FormattedMessage,
  path: string,
  problems: ProblemList,
): string | HeaderFormat | null {
  if (!isHeaderValue(text)) {
    problems.invalid(path, 'holds characters that no header value may hold');
    return null;
  }
  const compiled = compileHeaderFormat(text, message, path);
  if (compiled.ok) return compiled.value;
  for (const { message: what, hint } of compiled.error) problems.invalid(path, what, hint);
  return null;
}
