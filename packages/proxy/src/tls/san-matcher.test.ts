import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestCertificateOptions, makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import { StringMatcher, type StringMatcherKind } from '../routing/string-matcher.ts';
import { SanMatcher, type SanType } from './san-matcher.ts';

const root = makeRoot('cluster.local');

function matches(
  type: SanType,
  kind: StringMatcherKind,
  value: string,
  options: TestCertificateOptions,
): boolean {
  const { certificate } = makeLeaf(root, 'spiffe://cluster.local/ns/a/sa/b', options);
  return new SanMatcher(type, new StringMatcher(kind, value)).matches(certificate.extensions);
}

test('compares names of its own type only', () => {
  const names = { uris: ['spiffe://cluster.local/ns/a/sa/b'], dnsNames: ['spiffe'] };
  assert.ok(matches('uri', 'prefix', 'spiffe://cluster.local/', names));
  assert.ok(!matches('dns', 'prefix', 'spiffe://', names));
  assert.ok(!matches('uri', 'exact', 'spiffe', names));
});

test('a wildcard of the certificate stands for one whole label', () => {
  const wildcard = { dnsNames: ['*.Example.com'] };
  assert.ok(matches('dns', 'exact', 'www.example.com', wildcard));
  assert.ok(matches('dns', 'exact', 'WWW.example.COM', wildcard));
  assert.ok(!matches('dns', 'exact', 'example.com', wildcard));
  assert.ok(!matches('dns', 'exact', '.example.com', wildcard));
  assert.ok(!matches('dns', 'exact', 'a.b.example.com', wildcard));
  assert.ok(!matches('dns', 'exact', 'www.example.com', { dnsNames: ['w*.example.com'] }));
});

test('a name with a NUL in it matches nothing', () => {
  assert.ok(!matches('dns', 'prefix', 'good.example', { dnsNames: ['good.example\0.evil.example'] }));
  assert.ok(!matches('dns', 'exact', 'good.example', { dnsNames: ['good.example\0'] }));
});
