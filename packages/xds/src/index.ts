export { decodeMessage, encodeMessage, packAny, unpackAny, unpackKnown } from './any.ts';
export type { Decoded, DecodeFailure } from './any.ts';
export { isKnownTypeUrl, messageType } from './message-types.ts';
export type { DeepPartial, MessageOf } from './message-types.ts';
export { RpcCode } from './rpc.ts';
export type {
  RpcClient,
  RpcMethod,
  RpcMethods,
  RpcPeer,
  RpcReply,
  RpcStatus,
  RpcStream,
  RpcStreamHandler,
} from './rpc.ts';
export { TypeUrl, messageNameOf, resourceTypeUrls, typeUrlOf } from './type-url.ts';
