import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKnownTypeUrl, messageType } from '../message-types.ts';
import { generatedTypes } from '../testing/generated-types.ts';
import { TypeUrl, messageNameOf } from '../type-url.ts';
import { acceptedWithoutEffect } from './accepted-fields.ts';
import { messageDescriptor } from './descriptors.ts';
import { fieldHints } from './field-hints.ts';
import { envoyFieldNames, isEnvoyMessage } from './envoy-names.ts';

describe('descriptors', () => {
  it('describe every generated message', async () => {
    for (const name of (await generatedTypes()).keys()) assert.ok(messageDescriptor(name), name);
  });

  it('have nothing for names that only objects have', () => {
    assert.equal(messageDescriptor('constructor'), undefined);
    assert.equal(isEnvoyMessage('toString'), false);
    assert.equal(envoyFieldNames('valueOf').size, 0);
  });
});

describe('the type registry', () => {
  it('has for each URL the message that the URL names', async () => {
    const types = await generatedTypes();
    for (const url of Object.values(TypeUrl)) {
      assert.ok(isKnownTypeUrl(url));
      assert.equal(messageType(url), types.get(messageNameOf(url)), url);
    }
    assert.equal(isKnownTypeUrl('toString'), false);
  });
});

describe('the hints for fields that are refused', () => {
  it('are for fields that the Envoy API has and we have not', () => {
    for (const [message, fields] of Object.entries(fieldHints())) {
      const refused = new Set(envoyFieldNames(message).values());
      for (const field of Object.keys(fields)) assert.ok(refused.has(field), `${message}.${field}`);
    }
  });
});

describe('the list of fields without effect', () => {
  it('holds only fields that the Envoy API has', () => {
    for (const [message, fields] of Object.entries(acceptedWithoutEffect())) {
      const known = new Set(envoyFieldNames(message).values());
      for (const field of fields) assert.ok(known.has(field), `${message}.${field}`);
    }
  });
});
