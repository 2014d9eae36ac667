import { type Result, err, ok } from '@heddle/base';

const labels = ['CERTIFICATE', 'CERTIFICATE REQUEST', 'PRIVATE KEY'] as const;
/** The kinds of PEM blocks in use here (RFC 7468). */
export type PemLabel = (typeof labels)[number];

const base64Pattern = /^[A-Za-z0-9+/]+={0,2}$/;

/** Writes one PEM block with lines of 64 characters (RFC 7468 §2). */
export function encodePem(label: PemLabel, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * Reads all blocks of a text, which must all have this label; explanatory text between blocks is skipped. The error
 * is one sentence and repeats nothing of the text.
 */
export function decodePem(label: PemLabel, text: string): Result<readonly Buffer[], string> {
  const blocks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const begin = text.indexOf('-----BEGIN ', position);
    if (begin < 0) break;
    const head = `-----BEGIN ${label}-----`;
    const tail = `-----END ${label}-----`;
    if (!text.startsWith(head, begin)) return err(`a PEM block is not a ${label}`);
    const end = text.indexOf(tail, begin);
    if (end < 0) return err(`a PEM block ${label} has no end`);
    const body = text.slice(begin + head.length, end).replace(/[\r\n\t ]+/g, '');
    if (!base64Pattern.test(body) || body.length % 4 !== 0) return err(`a PEM block ${label} is not base64`);
    blocks.push(Buffer.from(body, 'base64'));
    position = end + tail.length;
  }
  return blocks.length === 0 ? err(`there is no PEM block ${label}`) : ok(blocks);
}
