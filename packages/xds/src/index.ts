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
export { TypeUrl, collectionOf, messageNameOf, resourceTypeUrls, typeUrlOf } from './type-url.ts';
export type { ReceivedResource, ResourceSink } from './client/resource-sink.ts';
export { encodeResource } from './server/encode-resource.ts';
export type { EncodedResource, ResourceChange, ResourceSource, XdsClient } from './server/resource-source.ts';
export type {
  RejectedResource,
  ResourceStatus,
  StreamStatus,
  Subscription,
  TypeStatus,
} from './server/stream-status.ts';
export { decodeResource } from './check/decode-resource.ts';
