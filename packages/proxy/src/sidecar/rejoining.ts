import type { Clock, HeddleError, Logger, Result } from '@heddle/base';
import type { Renewable } from '@heddle/identity';

export interface RejoiningOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Joins anew with the join token and puts the new identity in force. */
  readonly rejoin: () => Promise<Result<void, HeddleError>>;
}

/**
 * Renews as `renewable` does while the certificate is good, and joins anew once it has expired: with an expired one nobody can
 * ask for the next, as after a control plane was away for longer than a certificate lives.
 */
export function rejoining(renewable: Renewable, { clock, logger, rejoin }: RejoiningOptions): Renewable {
  return {
    validity: () => renewable.validity(),
    isUrgent: () => renewable.isUrgent(),
    renew: async () => {
      if (clock.now() < renewable.validity().notAfterMs) return await renewable.renew();
      logger.warn('The certificate has expired; joining anew');
      return await rejoin();
    },
  };
}
