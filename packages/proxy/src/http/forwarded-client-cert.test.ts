import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ClientCertMode,
  type ClientCertRules,
  type ClientCertificate,
  clientCertElement,
  forwardedClientCert,
} from './forwarded-client-cert.ts';

const nothing: ClientCertRules = {
  mode: 'sanitize-set',
  subject: false,
  cert: false,
  chain: false,
  uri: false,
  dns: false,
  ownUris: ['spiffe://td/own'],
};
const peer: ClientCertificate = {
  fingerprint: '00ff',
  subject: 'CN=client=1,O=Ac\\"me\\, Inc,C=DE',
  uriSans: ['spiffe://td/client', 'spiffe://td/second'],
  dnsSans: ['client.example', 'b.example'],
  pem: '-----BEGIN CERTIFICATE-----\nMI+/=\n-----END CERTIFICATE-----\n',
  chainPem: 'A\nB\n',
};
const bare: ClientCertificate = { ...peer, subject: '', uriSans: [], dnsSans: [] };

// The form is that of Envoy 1.40 for such certificates.
const elements: readonly (readonly [string, ClientCertificate, Partial<ClientCertRules>, string])[] = [
  ['only who and which', peer, {}, 'By=spiffe://td/own;Hash=00ff'],
  ['no identity of our own', peer, { ownUris: [] }, 'Hash=00ff'],
  [
    'several URIs of our own',
    peer,
    { ownUris: ['spiffe://x/y', 'urn:a;b'] },
    'By=spiffe://x/y;By=urn:a%3Bb;Hash=00ff',
  ],
  ['uri', peer, { uri: true }, 'By=spiffe://td/own;Hash=00ff;URI=spiffe://td/client;URI=spiffe://td/second'],
  ['uri of none', bare, { uri: true }, 'By=spiffe://td/own;Hash=00ff;URI='],
  ['dns', peer, { dns: true }, 'By=spiffe://td/own;Hash=00ff;DNS=client.example;DNS=b.example'],
  ['dns of none', bare, { dns: true }, 'By=spiffe://td/own;Hash=00ff'],
  ['subject', peer, { subject: true, ownUris: [] }, 'Hash=00ff;Subject="CN=client=1,O=Ac\\"me\\, Inc,C=DE"'],
  ['subject of none', bare, { subject: true, ownUris: [] }, 'Hash=00ff;Subject=""'],
  [
    'everything, in order',
    peer,
    { subject: true, cert: true, chain: true, uri: true, dns: true, ownUris: [] },
    'Hash=00ff;Cert="-----BEGIN%20CERTIFICATE-----%0AMI%2B%2F%3D%0A-----END%20CERTIFICATE-----%0A";Chain="A%0AB%0A";' +
      'Subject="CN=client=1,O=Ac\\"me\\, Inc,C=DE";URI=spiffe://td/client;URI=spiffe://td/second;DNS=client.example;DNS=b.example',
  ],
];

describe('the element for a certificate', () => {
  for (const [name, certificate, rules, expected] of elements) {
    test(name, () => assert.equal(clientCertElement(certificate, { ...nothing, ...rules }), expected));
  }

  test('no name ends its key or the header', () => {
    const hostile = {
      ...peer,
      subject: 'CN=a\r\nx: y',
      uriSans: ['spiffe://a;URI=spiffe://b', 'spiffe://c,By=d', 'a"b', 'é\ud800'],
      dnsSans: ['a;b'],
    };
    const element = clientCertElement(hostile, { ...nothing, subject: true, uri: true, dns: true });
    assert.equal(
      element,
      'By=spiffe://td/own;Hash=00ff;Subject="CN=a%0D%0Ax: y";URI=spiffe://a%3BURI=spiffe://b;' +
        'URI=spiffe://c%2CBy=d;URI=a%22b;URI=%C3%A9%EF%BF%BD;DNS=a%3Bb',
    );
  });
});

// Mode, received, element of the connection (none: no certificate), result; as Envoy 1.40 forwards it.
const modes: readonly (readonly [ClientCertMode, string | null, string, string])[] = [
  ['sanitize', 'By=x', 'Hash=1', ''],
  ['sanitize', 'By=x', '', ''],
  ['forward-only', 'By=x', 'Hash=1', 'By=x'],
  ['forward-only', null, 'Hash=1', ''],
  ['forward-only', 'By=x', '', ''],
  ['append-forward', 'By=x,By=y', 'Hash=1', 'By=x,By=y,Hash=1'],
  ['append-forward', null, 'Hash=1', 'Hash=1'],
  ['append-forward', 'By=x', '', ''],
  ['sanitize-set', 'By=x', 'Hash=1', 'Hash=1'],
  ['sanitize-set', 'By=x', '', ''],
  ['always-forward-only', 'By=x', 'Hash=1', 'By=x'],
  ['always-forward-only', 'By=x', '', 'By=x'],
];
for (const [mode, received, element, expected] of modes) {
  test(`${mode}: ${received ?? 'nothing'} with ${element === '' ? 'no certificate' : 'a certificate'}`, () => {
    assert.equal(forwardedClientCert(mode, received, element), expected);
  });
}
