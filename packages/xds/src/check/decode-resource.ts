import type { Problem, Result } from '@heddle/base';
import { err, ok } from '@heddle/base';
import { decodeMessage, unpackKnown } from '../any.ts';
import type { Any } from '../generated/google/protobuf/any.ts';
import type { MessageOf } from '../message-types.ts';
import { isKnownTypeUrl } from '../message-types.ts';
import { TypeUrl, messageNameOf } from '../type-url.ts';
import { findUnsupportedFields, malformed, maxAnyNesting } from './unsupported-fields.ts';

/** Types without an `Any` in them: nothing to look for beyond what the decoder has noticed. */
const withoutAny: ReadonlySet<string> = new Set([TypeUrl.clusterLoadAssignment, TypeUrl.secret]);

/**
 * Decodes a resource and everything within it, and refuses by name what we don't support: fields outside our messages,
 * and types of which we have none. Fields without effect on traffic pass. What is in an `Any` can be had by `unpackAny`
 * afterwards at no cost.
 */
export function decodeResource<U extends TypeUrl>(
  typeUrl: U,
  bytes: Uint8Array,
): Result<MessageOf<U>, Problem[]> {
  const name = messageNameOf(typeUrl);
  const decoded = decodeMessage(typeUrl, bytes);
  if (!decoded.ok) return err([malformed(name, decoded.error)]);
  const { message, hasUnknownFields } = decoded.value;
  if (!hasUnknownFields && (withoutAny.has(typeUrl) || !isSuspicious(message, 0))) return ok(message);
  const problems = findUnsupportedFields(name, bytes);
  return problems.length === 0 ? ok(message) : err(problems);
}

/** Whether any message in an `Any` has unknown fields or can't be read; quick, and says nothing about where. */
function isSuspicious(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  if (Array.isArray(value)) return value.some((element) => isSuspicious(element, depth));
  if (isAny(value)) return isSuspiciousAny(value, depth + 1);
  return Object.values(value).some((member) => isSuspicious(member, depth));
}

function isSuspiciousAny(any: Any, depth: number): boolean {
  if (!isKnownTypeUrl(any.typeUrl) || depth > maxAnyNesting) return true;
  const unpacked = unpackKnown(any);
  return !unpacked.ok || unpacked.value.hasUnknownFields || isSuspicious(unpacked.value.message, depth);
}

function isAny(value: object): value is Any {
  return 'typeUrl' in value && 'value' in value && value.value instanceof Uint8Array;
}
