// Puts one case of the suite through the data plane and tells what came out on the far side.
import { Buffer } from 'node:buffer';
import { readMessage } from '../differential/support/message-reader.ts';
import type { SeenMessage } from '../differential/support/case.ts';
import type { MemoryProxy, Peer } from '../support/memory-proxy.ts';

/** What became of an input. */
export interface Outcome {
  /** Complete messages as they were passed on. */
  readonly messages: readonly SeenMessage[];
  /** The far side was sent part of one more. */
  readonly isPartial: boolean;
  /** The proxy's own refusal: status and detail; empty where there is none. */
  readonly refusal: string;
  /** The connection on which the input came was closed by the proxy. */
  readonly isClosed: boolean;
}

const emptyAnswer = 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 0\r\n\r\n';

/** Splits what was sent into messages, as a strict recipient does. */
function messagesIn(text: string, options: Parameters<typeof readMessage>[2]): [SeenMessage[], boolean] {
  const messages: SeenMessage[] = [];
  let at = 0;
  while (at < text.length) {
    const read = readMessage(text, at, options);
    if (read === null) return [messages, true];
    messages.push(read.message);
    at = read.end;
  }
  return [messages, false];
}

/** The proxy's own reply among what a client got. */
function refusalIn(text: string): string {
  for (const part of text.split(/(?=HTTP\/1\.[01] \d{3} )/)) {
    if (part.includes('x-upstream: yes') || !/^HTTP\/1\.[01] [345]/.test(part)) continue;
    const [status, body] = [part.slice(9, 12), part.slice(part.indexOf('\r\n\r\n') + 4)];
    return `${status} ${body.replace('the request cannot be accepted: ', '')}`;
  }
  return '';
}

/** Sends the pieces on one connection; what the upstream got, complete requests answered; `look` sees its bytes. */
export function replayRequest(
  proxy: MemoryProxy,
  pieces: readonly string[],
  look: (upstreamBytes: string) => void = () => undefined,
): Outcome {
  const answered = new Map<Peer, number>();
  proxy.serve = (peer) => {
    const [messages] = messagesIn(peer.text, { isResponse: false, hasNoBody: false, isClosed: false });
    for (let count = answered.get(peer) ?? 0; count < messages.length; count++) peer.send(emptyAnswer);
    answered.set(peer, messages.length);
  };
  const client = proxy.connect();
  for (const piece of pieces) {
    if (!client.isClosed && !client.hasEnded) client.send(piece);
    proxy.run();
  }
  proxy.run();
  const messages: SeenMessage[] = [];
  let isPartial = false;
  for (const peer of proxy.upstream) {
    look(peer.text);
    const [found, rest] = messagesIn(peer.text, { isResponse: false, hasNoBody: false, isClosed: false });
    messages.push(...found);
    isPartial ||= rest;
  }
  const outcome = {
    messages,
    isPartial,
    refusal: refusalIn(client.text),
    isClosed: client.isClosed || client.hasEnded,
  };
  if (!client.isClosed) client.reset();
  proxy.forget();
  return outcome;
}

/** Answers one request (HEAD where `isHead`) with the pieces; what the client got. */
export function replayResponse(
  proxy: MemoryProxy,
  pieces: readonly string[],
  { isHead, endsAfter }: { readonly isHead: boolean; readonly endsAfter: boolean },
): Outcome {
  let upstream: Peer | null = null;
  proxy.serve = (peer) => {
    upstream = peer;
  };
  const client = proxy.connect();
  client.send(`${isHead ? 'HEAD' : 'GET'} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  proxy.run();
  const sender = upstream as Peer | null;
  if (sender === null) throw new Error('the request did not reach the upstream');
  for (const piece of pieces) {
    if (!sender.isClosed) sender.send(piece);
    proxy.run();
  }
  if (endsAfter && !sender.isClosed) sender.end();
  proxy.run();
  const isClosed = client.isClosed || client.hasEnded;
  const refusal = /^HTTP\/1\.1 50[234] /.test(client.text) ? refusalIn(client.text) : '';
  const [messages, isPartial] =
    refusal === '' ? messagesIn(client.text, { isResponse: true, hasNoBody: isHead, isClosed }) : [[], false];
  if (!client.isClosed) client.reset();
  proxy.forget();
  return { messages, isPartial, refusal, isClosed: sender.isClosed || isClosed };
}

/** The bytes of a case, one character each. */
export function bytesOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

/** Everything that must not depend on where an input is cut; how much of a broken message has gone out already may. */
export function essence({ messages, refusal, isPartial, isClosed }: Outcome): string {
  return JSON.stringify([messages, refusal, isPartial && !isClosed]);
}
