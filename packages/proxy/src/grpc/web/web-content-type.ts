// Hot path.
import { Field } from '../../codec/field.ts';

const text = ['application/grpc-web-text', 'application/grpc-web-text+proto'] as const;
const binary = ['application/grpc-web', 'application/grpc-web+proto'] as const;

/** Whether a request is gRPC-Web's: one of the four types that Envoy takes, to the letter. */
export function isGrpcWebContentType(value: string | null): boolean {
  return value === binary[0] || value === binary[1] || isGrpcWebText(value);
}

/** Whether a content type, or what a client accepts, is the base64 form. */
export function isGrpcWebText(value: string | null): boolean {
  return value === text[0] || value === text[1];
}

/** Whether a response is gRPC-Web's already; parameters and case don't matter here. */
export function isGrpcWebResponse(status: number, contentType: string | null): boolean {
  if (status !== 200 || contentType === null) return false;
  const [type = ''] = contentType.split(';', 1);
  return isGrpcWebContentType(type.trim().toLowerCase()) && !isGrpcWebText(type.trim().toLowerCase());
}

/** The type of responses, by the form that the client accepts. */
export const webContentTypes = {
  text: new Field('content-type', text[1]),
  binary: new Field('content-type', binary[1]),
} as const;
