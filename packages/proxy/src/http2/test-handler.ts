import type { FieldList } from '../codec/field-list.ts';
import type { Http2Stream } from './http2-stream.ts';
import { type Http2StreamHandler, ResetCause, type StreamReset } from './stream-handler.ts';

const causes = Object.fromEntries(Object.entries(ResetCause).map(([name, cause]) => [cause, name]));

/** Writes down what it is told, one line per call; parts of a body that follow each other become one. */
export class RecordingHandler implements Http2StreamHandler {
  readonly events: string[] = [];
  stream: Http2Stream | null = null;
  /** Called after each event with its first word. */
  onEvent: (name: string) => void = () => undefined;
  private body = '';

  /** What has been told since the last call. */
  take(): string[] {
    this.note('', '');
    return this.events.splice(0);
  }

  onHeaders(fields: FieldList, endStream: boolean): void {
    this.note('headers', `${textOf(fields)}${endStream ? ' END' : ''}`);
  }

  onInformational(fields: FieldList): void {
    this.note('informational', textOf(fields));
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.body += buffer.toString('latin1', start, end);
    if (endStream) this.note('', '');
    this.onEvent('data');
  }

  onTrailers(fields: FieldList): void {
    this.note('trailers', textOf(fields));
  }

  onEnd(): void {
    this.note('end', '');
  }

  onDrain(): void {
    this.note('drain', '');
  }

  onClosed(): void {
    this.note('closed', '');
  }

  onReset({ cause, code, detail }: StreamReset, beforeResponse: boolean): void {
    this.note('reset', `${causes[cause]} ${code} ${detail}${beforeResponse ? ' before a response' : ''}`);
  }

  private note(name: string, text: string): void {
    if (this.body !== '') {
      const { body } = this;
      this.events.push(`data ${body.length > 100 ? `[${body.length}]` : body}`);
      this.body = '';
    }
    if (name === '') return;
    this.events.push(text === '' ? name : `${name} ${text}`);
    this.onEvent(name);
  }
}

function textOf(fields: FieldList): string {
  return fields.fields
    .slice(0, fields.length)
    .map(({ name, value }) => `${name}=${value}`)
    .join(' ');
}
