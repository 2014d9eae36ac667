// One connection of either role, with a raw peer at its other end and everything it tells written down.
import { Http2ClientConnection } from './client-connection.ts';
import type { Http2Settings } from './connection-owner.ts';
import { FrameFlag } from './frame.ts';
import type { Http2Options } from './http2-options.ts';
import { RawPeer, clientStart, headers, settings, settingsAck } from './test-peer.ts';
import { RecordingHandler } from './test-handler.ts';
import { Http2ServerConnection } from './server-connection.ts';
import { fieldsOf, testSettings } from './test-servers.ts';

export interface Served {
  readonly peer: RawPeer;
  readonly server: Http2ServerConnection;
  readonly settings: Http2Settings;
  /** What the owner was told. */
  readonly events: string[];
  /** Whatever it was that served this stream. */
  readonly stream: (id: number) => RecordingHandler;
  /** Streams begun. */
  readonly begun: ReadonlyMap<number, RecordingHandler>;
}

/** A server whose streams are recorded, and a client that has said its preface and acknowledged what the server said. */
export function served(
  options: Partial<Http2Options> = {},
  onStream: (handler: RecordingHandler) => void = () => undefined,
): Served {
  const peer = new RawPeer();
  const begun = new Map<number, RecordingHandler>();
  const events: string[] = [];
  const all = testSettings(options);
  const owner = {
    onStream: (stream: RecordingHandler['stream'] & object) => {
      const handler = new RecordingHandler();
      handler.stream = stream;
      begun.set(stream.id, handler);
      onStream(handler);
      return handler;
    },
    onBusyChanged: (isBusy: boolean) => void events.push(isBusy ? 'busy' : 'idle'),
    onLingering: () => void events.push('lingering'),
    onFault: ({ detail }: { readonly detail: string }) => void events.push(detail),
    onGone: () => void events.push('gone'),
  };
  const server = peer.attach(new Http2ServerConnection(peer.transport, owner, all, peer.context));
  peer.send(clientStart, settingsAck);
  peer.received();
  return { peer, server, settings: all, events, begun, stream: (id) => begun.get(id)! };
}

/** Answers 200 without a body. */
export function answer(handler: RecordingHandler): void {
  handler.stream!.sendHeaders(fieldsOf([':status', '200']), true);
}

/** A response's head without a body. */
export function response(streamId: number, status = '200', flags: number = FrameFlag.endStream): Buffer {
  return headers(streamId, [[':status', status]], flags);
}

export interface Connected {
  readonly peer: RawPeer;
  readonly client: Http2ClientConnection;
  readonly settings: Http2Settings;
  readonly events: string[];
  /** Opens a stream and sends a request's head on it. */
  readonly request: (endStream?: boolean, method?: string) => RecordingHandler;
}

/** A client, connected to a server that has said its settings. */
export function connected(
  options: Partial<Http2Options> = {},
  serverSettings: readonly (readonly [number, number])[] = [],
): Connected {
  const peer = new RawPeer();
  const events: string[] = [];
  const all = testSettings(options);
  const owner = {
    onConnected: () => void events.push('connected'),
    onSettings: () => undefined,
    onReadEnd: () => undefined,
    onCapacity: () => void events.push('capacity'),
    onGoingAway: () => void events.push('going away'),
    onFault: ({ detail }: { readonly detail: string }) => void events.push(detail),
    onGone: () => void events.push('gone'),
  };
  const client = peer.attach(new Http2ClientConnection(owner, all, peer.context));
  client.attach(peer.transport);
  client.onConnect();
  peer.send(settings(...serverSettings), settingsAck);
  peer.received();
  events.length = 0;
  const request = (endStream = true, method = 'GET'): RecordingHandler => {
    const handler = new RecordingHandler();
    const stream = client.openStream(handler);
    if (stream === null) throw new Error('no stream may be opened');
    handler.stream = stream;
    const fields = fieldsOf([':method', method], [':scheme', 'http'], [':path', '/'], [':authority', 'a']);
    stream.sendHeaders(fields, endStream);
    return handler;
  };
  return { peer, client, settings: all, events, request };
}
