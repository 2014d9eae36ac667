import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeddleError, type Logger, errorMessage } from '@heddle/base';
import type { TrustBundle } from '@heddle/identity';
import type { Enrolment } from './enrolment.ts';

/** A request with an RSA-4096 key takes under 4 kilobytes. */
const maxBodyBytes = 64 * 1024;

const statusByCode = new Map([
  ['HEDDLE_JOIN_REQUEST_INVALID', 400],
  ['HEDDLE_CERTIFICATE_REQUEST_INVALID', 400],
  ['HEDDLE_JOIN_TOKEN_INVALID', 401],
  ['HEDDLE_JOIN_TOKEN_USED', 403],
  ['HEDDLE_JOIN_TOKEN_EXPIRED', 403],
  ['HEDDLE_JOIN_TOKEN_NOT_ALLOWED', 403],
  ['HEDDLE_IDENTITY_NOT_ALLOWED', 403],
]);

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(body);
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, 'application/json', JSON.stringify({ error: { code, message } }));
}

/** Answers what comes in the open: the root certificate, which is public, and nothing else. */
export function handlePlain(request: IncomingMessage, response: ServerResponse, bundle: TrustBundle): void {
  if (request.method === 'GET' && request.url === '/ca/root.pem') {
    send(response, 200, 'application/x-pem-file', bundle.pem);
    return;
  }
  sendError(response, 404, 'HEDDLE_NOT_FOUND', 'Without TLS there is only GET /ca/root.pem here.');
}

/** Collects the body; null where it is too long or the client goes away. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) return null;
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Answers what comes through TLS: `POST /v1/join`. Never rejects. */
export async function handleSecure(
  request: IncomingMessage,
  response: ServerResponse,
  enrolment: Enrolment,
  logger: Logger,
): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/v1/join') {
    sendError(response, 404, 'HEDDLE_NOT_FOUND', 'There is only POST /v1/join here.');
    return;
  }
  const body = await readBody(request);
  if (body === null) {
    sendError(
      response,
      413,
      'HEDDLE_JOIN_REQUEST_INVALID',
      `The request is longer than ${maxBodyBytes} bytes.`,
    );
    return;
  }
  try {
    const answer = await enrolment.enrol(parseJson(body), request.socket.localAddress ?? '');
    if (answer.ok) send(response, 200, 'application/json', JSON.stringify(answer.value));
    else
      sendError(
        response,
        statusByCode.get(answer.error.code) ?? 500,
        answer.error.code,
        answer.error.message,
      );
  } catch (error) {
    // A store that fails; its message is for the operator and not for whoever asks.
    const code = error instanceof HeddleError ? error.code : 'HEDDLE_INTERNAL';
    logger.error('Joining failed', { code, reason: errorMessage(error) });
    sendError(response, 500, 'HEDDLE_INTERNAL', 'The control plane cannot let anybody join just now.');
  }
}
