// Hot path.
import { HeaderAction, type HeaderMutation } from '../routing/header-mutation.ts';
import type { HeadChanges } from '../http1/head-writer.ts';
import type { MessageHead } from '../http1/message-head.ts';

/** Applies a route's changes, in list order, to the fields of `head`; `added` are the lines the proxy adds by itself. */
export function headChanges(
  head: MessageHead,
  mutations: readonly HeaderMutation[] | null,
  added: string,
): HeadChanges {
  if (mutations === null) return { replaced: null, added };
  const replaced: string[] = [];
  let lines = added;
  for (const { action, name, value } of mutations) {
    const isPresent = head.header(name) !== null;
    switch (action) {
      case HeaderAction.remove:
        replaced.push(name);
        break;
      case HeaderAction.overwrite:
        replaced.push(name);
        lines += `${name}: ${value}\r\n`;
        break;
      case HeaderAction.overwriteIfExists:
        if (!isPresent) break;
        replaced.push(name);
        lines += `${name}: ${value}\r\n`;
        break;
      case HeaderAction.addIfAbsent:
        if (!isPresent) lines += `${name}: ${value}\r\n`;
        break;
      case HeaderAction.append:
        lines += `${name}: ${value}\r\n`;
        break;
      default:
        break;
    }
  }
  return { replaced, added: lines };
}
