// `/listeners`.
import { hostPort } from '../cluster/endpoint.ts';
import { type AdminResponse, choiceOf, jsonResponse, textResponse } from './admin-message.ts';

/** A bound listener. */
export interface BoundListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export function listenersPage(listeners: readonly BoundListener[], query: URLSearchParams): AdminResponse {
  if (choiceOf(query, 'format', ['text', 'json']) === 'text') {
    return textResponse(
      listeners.map(({ name, host, port }) => `${name}::${hostPort(host, port)}\n`).join(''),
    );
  }
  return jsonResponse({
    listener_statuses: listeners.map(({ name, host, port }) => ({
      name,
      local_address: { socket_address: { address: host, port_value: port } },
    })),
  });
}
