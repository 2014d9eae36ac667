// Hot path.
// Writes the head that goes on to the next hop: the lines that came, byte for byte and in their order, without those
// that concern only this hop (RFC 9110 §7.6.1), and with what the proxy adds.
import { FieldId } from '../codec/field-name.ts';
import { FieldOffset, fieldStride } from './head-scanner.ts';
import type { MessageHead } from './message-head.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

const lineEnd = '\r\n';
const fieldIdCount = Math.max(...Object.values(FieldId)) + 1;

/** Which fields are left out, by `FieldId`: decided when the configuration changes, looked up per field. */
export type FieldFilter = Uint8Array;

/** Fields that concern one hop only, plus those given. `Expect` and `Trailer` are written anew where they go on. */
export function createFieldFilter(dropped: readonly number[]): FieldFilter {
  const filter = new Uint8Array(fieldIdCount);
  const hopByHop = [
    FieldId.connection,
    FieldId.keepAlive,
    FieldId.proxyConnection,
    FieldId.te,
    FieldId.upgrade,
    FieldId.expect,
    FieldId.trailer,
    FieldId.proxyAuthorization,
    FieldId.proxyAuthenticate,
    FieldId.http2Settings,
    FieldId.neverForwarded,
  ];
  for (const id of [...hopByHop, ...dropped]) filter[id] = 1;
  return filter;
}

/** Names that `Connection` nominates for removal, in lower case; empty for the usual `close` and `keep-alive`. */
function nominatedFields(head: MessageHead): string[] {
  const nominated: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fieldId(index) !== FieldId.connection) continue;
    for (const item of head.fieldValue(index).split(',')) {
      const name = item.trim().toLowerCase();
      if (name !== '' && name !== 'close' && name !== 'keep-alive') nominated.push(name);
    }
  }
  return nominated;
}

/**
 * True where `Connection` takes the field out of what goes on. Not the two that say by it that they are there for this hop:
 * routes ask for `upgrade`.
 */
export function isNominated(head: MessageHead, lowerCaseName: string): boolean {
  if (!head.hasConnectionField || lowerCaseName === 'upgrade' || lowerCaseName === 'te') return false;
  return nominatedFields(head).includes(lowerCaseName);
}

/**
 * The lines of `head` from position `from` that pass the filter and are none of `replaced` (lower case), in as few slices as
 * possible: what is in front of the fields goes along.
 */
function keptLines(
  head: MessageHead,
  from: number,
  filter: FieldFilter,
  replaced: readonly string[] | null,
): string {
  let nominated: readonly string[] | null = head.hasConnectionField ? nominatedFields(head) : null;
  if (replaced !== null) nominated = nominated === null ? replaced : [...nominated, ...replaced];
  const { text, fields, fieldCount } = head;
  let out = '';
  let runStart = from;
  for (let index = 0; index < fieldCount; index++) {
    const at = index * fieldStride;
    let dropped = filter[fields[at + FieldOffset.id]!] === 1;
    if (!dropped && nominated !== null && nominated.length > 0) {
      dropped = nominated.includes(head.fieldName(index).toLowerCase());
    }
    if (!dropped) continue;
    const lineStart = fields[at + FieldOffset.nameStart]!;
    if (lineStart > runStart) out += text.slice(runStart, lineStart);
    runStart = index + 1 < fieldCount ? fields[at + fieldStride + FieldOffset.nameStart]! : text.length - 2;
  }
  const end = text.length - 2;
  return end > runStart ? out + text.slice(runStart, end) : out;
}

/** What the proxy changes in a head besides leaving hop-by-hop fields out. */
export interface HeadChanges {
  /** Lower-case names of fields that are left out because they are removed or written anew. */
  readonly replaced: readonly string[] | null;
  /** Lines to add, each ended by CRLF. */
  readonly added: string;
}

/**
 * The request head for the next hop: `path` (the authority for CONNECT, which has none) and the Host in force, the kept lines, then the added ones. Where the filter
 * drops `Host`, it is written from `authority` (RFC 9112 §3.2.2).
 */
export function writeRequestHead(
  head: RequestHead,
  path: string,
  authority: string,
  filter: FieldFilter,
  changes: HeadChanges,
): string {
  const { replaced, added } = changes;
  const rewritesHost = filter[FieldId.host] === 1;
  if (!rewritesHost && head.hasStartLine(path))
    return keptLines(head, head.startLineStart, filter, replaced) + added + lineEnd;
  const host = rewritesHost ? `host: ${authority}\r\n` : '';
  const lines = keptLines(head, head.fieldsStart, filter, replaced);
  return `${head.method} ${path === '' ? authority : path} HTTP/1.1\r\n${host}${lines}${added}\r\n`;
}

/** The response head for the client: in its version, with the status line's reason as it came. */
export function writeResponseHead(
  head: ResponseHead,
  filter: FieldFilter,
  changes: HeadChanges,
  version: 'HTTP/1.0' | 'HTTP/1.1',
): string {
  const { replaced, added } = changes;
  if (head.text.startsWith(version)) return keptLines(head, 0, filter, replaced) + added + lineEnd;
  const rest = head.text.slice(version.length, head.fieldsStart);
  return version + rest + keptLines(head, head.fieldsStart, filter, replaced) + added + lineEnd;
}

/** `Trailer` as it came, for where trailers go on; empty where there is none. */
export function trailerLine(head: MessageHead): string {
  const names = head.joinedById(FieldId.trailer);
  return names === null || names === '' ? '' : `trailer: ${names}\r\n`;
}
