import { HeddleError, errorMessage, systemErrorCode } from '@heddle/base';
import { describeAddress, isUnixAddress } from './address.ts';
import type { TransportAddress } from './transport.ts';

/** Why an address can't be listened on, of the system's error. */
export function listenError(address: TransportAddress, cause: unknown): HeddleError {
  const where = describeAddress(address);
  const code = systemErrorCode(cause);
  if (code === 'EADDRNOTAVAIL') {
    return new HeddleError(
      'HEDDLE_ADDRESS_UNAVAILABLE',
      `can't listen on ${where}: this machine has no such address`,
      { cause },
    );
  }
  if (code === 'EADDRINUSE') {
    return new HeddleError(
      'HEDDLE_PORT_IN_USE',
      `another program listens on ${where} already: stop it or choose another ${isUnixAddress(address) ? 'path' : 'port'}`,
      { cause },
    );
  }
  return new HeddleError('HEDDLE_LISTEN_FAILED', `can't listen on ${where}: ${errorMessage(cause)}`, {
    cause,
  });
}
