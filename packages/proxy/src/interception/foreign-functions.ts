import type * as nodeFfi from 'node:ffi';
import { errorMessage } from '@heddle/base';

export type ForeignFunctions = typeof nodeFfi;

/**
 * Loads `node:ffi` without the one warning that it is experimental: users can do nothing about it, and the version of Node
 * is ours. All other warnings pass, and the filter is gone when this returns. Undefined where Node lacks it or has it
 * switched off.
 */
export function loadForeignFunctions(): ForeignFunctions | undefined {
  const original: unknown = Reflect.get(process, 'emitWarning');
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (rest[0] === 'ExperimentalWarning' && errorMessage(warning).startsWith('FFI ')) return;
    Reflect.apply(emit, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule('node:ffi');
  } finally {
    Reflect.set(process, 'emitWarning', original);
  }
}
