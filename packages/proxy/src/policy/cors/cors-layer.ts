// Hot path of those requests that have one.
import type { FieldList } from '../../codec/field-list.ts';
import type { OutgoingResponse } from '../../codec/outgoing-response.ts';
import { StreamLayer } from '../../codec/stream-layer.ts';

/** Says in the response's head who may read it, in place of what the upstream says. */
export class CorsLayer extends StreamLayer {
  private readonly fields: FieldList;

  constructor(fields: FieldList) {
    super();
    this.fields = fields;
  }

  requestBodyKind(bodyKind: number): number {
    return bodyKind;
  }

  override sendHead(response: OutgoingResponse): void {
    const { added } = response;
    const names: string[] = [];
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields.fields[i]!;
      added.remove(field.name);
      added.add(field);
      names.push(field.name);
    }
    response.replaced = response.replaced === null ? names : [...response.replaced, ...names];
    this.stream.sendHead(response);
  }
}
