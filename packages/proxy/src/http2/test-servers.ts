// HTTP/2 servers and clients over any transport, without a proxy between them: for tests of the codec and for h2spec.
import { type Clock, type Random, TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { Http2Metrics } from '../stats/http2-metrics.ts';
import type { AcceptHandler } from '../transport/transport.ts';
import type { Http2Context, Http2ServerOwner, Http2Settings } from './connection-owner.ts';
import { FlushQueue } from './flush-queue.ts';
import { type Http2Options, defaultHttp2Options } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Http2ServerConnection } from './server-connection.ts';
import type { Http2StreamHandler } from './stream-handler.ts';

/** What connections under test share. */
export function testContext(clock: Clock, random: Random): Http2Context {
  return { clock, random, timers: new TimerWheel(clock), flushes: new FlushQueue(clock) };
}

/** Settings with these options in place of the defaults. */
export function testSettings(options: Partial<Http2Options> = {}): Http2Settings {
  return {
    options: { ...defaultHttp2Options, ...options },
    metrics: new Http2Metrics(new MetricRegistry().scope(), null),
    bytesSent: { value: 0 },
    bytesReceived: { value: 0 },
  };
}

/** A list of these fields. */
export function fieldsOf(...fields: readonly (readonly [string, string])[]): FieldList {
  return FieldList.of(...fields.map(([name, value]) => new Field(name, value)));
}

/** The body of an answer to a request without one. */
const greeting = Buffer.from('hello, world');

/** Answers 200 with what it is sent, trailers included. */
class Echo implements Http2StreamHandler {
  private readonly stream: Http2Stream;

  constructor(stream: Http2Stream) {
    this.stream = stream;
  }

  onHeaders(_fields: FieldList, endStream: boolean): void {
    this.stream.sendHeaders(fieldsOf([':status', '200']), false);
    if (endStream) this.stream.sendData(greeting, 0, greeting.length, true);
  }

  onInformational(): void {
    // Servers are sent none.
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (!this.stream.sendData(buffer, start, end, endStream)) this.stream.pauseReading();
  }

  onTrailers(fields: FieldList): void {
    this.stream.sendTrailers(fields);
  }

  onEnd(): void {
    if (!this.stream.hasEnded) this.stream.endStream();
  }

  onDrain(): void {
    this.stream.resumeReading();
  }

  onClosed(): void {
    // Nothing was kept.
  }

  onReset(): void {
    // Nothing was kept.
  }
}

/** Serves each connection by an echo. */
export function acceptEcho(settings: Http2Settings, context: Http2Context): AcceptHandler {
  return (connection) => {
    const owner: Http2ServerOwner = {
      onStream: (stream) => new Echo(stream),
      onBusyChanged: () => undefined,
      onLingering: () => undefined,
      onFault: () => undefined,
      onGone: () => undefined,
    };
    return new Http2ServerConnection(connection, owner, settings, context);
  };
}
