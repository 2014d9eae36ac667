import type { LocalReply } from '../../http/response-flags.ts';

const body = 'Bad gRPC-web request, invalid base64 data.';

/** Answers to requests whose body is no base64. */
export const WebReplies = {
  notBase64: { status: 400, flag: '-', details: 'grpc_base_64_decode_failed', body },
  cutOff: { status: 400, flag: '-', details: 'grpc_base_64_decode_failed_bad_size', body },
} as const satisfies Record<string, LocalReply>;
