/** The keys of an OpenID Connect issuer, found by discovery and followed when it changes them. */
import { errorMessage, HeddleError, type Clock, type Logger } from '@heddle/base';
import { z } from 'zod';
import { keyOfJwk, type VerificationKey } from './verify-jwt.ts';

/** Fetches JSON; rejects where it can't. */
export type FetchJson = (url: string) => Promise<unknown>;

/** Keys are fetched anew when they are older, so that one that was withdrawn goes out of use. */
const maxAgeMs = 600_000;
/** Whoever shows tokens with keys that nobody knows makes us ask no more often. */
const minIntervalMs = 10_000;
/** For so long keys are used that can't be fetched anew: people can go on while an issuer is away. */
const maxStaleMs = 24 * 3_600_000;

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });
const keySetSchema = z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).max(100) });

export class IssuerKeys {
  private readonly issuer: string;
  private readonly fetchJson: FetchJson;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private keys: readonly VerificationKey[] = [];
  /** Monotonic; minus infinity where there was none. */
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private running: Promise<void> | null = null;

  constructor(issuer: string, fetchJson: FetchJson, clock: Clock, logger: Logger) {
    this.issuer = issuer;
    this.fetchJson = fetchJson;
    this.clock = clock;
    this.logger = logger;
  }

  /**
   * The keys that may have signed a token: those of this id, or all where it names none. Rejects with
   * `HEDDLE_OIDC_UNREACHABLE` where no keys could be had.
   */
  async find(keyId: string | undefined): Promise<readonly VerificationKey[]> {
    const age = this.clock.monotonic() - this.fetchedAt;
    const known = this.matching(keyId);
    if (known.length > 0 && age < maxAgeMs) return known;
    await this.refresh();
    if (this.clock.monotonic() - this.fetchedAt < maxStaleMs) return this.matching(keyId);
    throw new HeddleError(
      'HEDDLE_OIDC_UNREACHABLE',
      `The keys of ${this.issuer} could not be fetched, so that its tokens cannot be checked.`,
    );
  }

  private matching(keyId: string | undefined): readonly VerificationKey[] {
    return keyId === undefined ? this.keys : this.keys.filter((key) => key.keyId === keyId);
  }

  private refresh(): Promise<void> {
    if (this.running !== null) return this.running;
    if (this.clock.monotonic() - this.triedAt < minIntervalMs) return Promise.resolve();
    this.triedAt = this.clock.monotonic();
    this.running = this.fetch()
      .catch((error: unknown) => {
        this.logger.warn('Cannot fetch the keys of the OpenID issuer', {
          issuer: this.issuer,
          error: errorMessage(error),
        });
      })
      .finally(() => {
        this.running = null;
      });
    return this.running;
  }

  private async fetch(): Promise<void> {
    const url = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const discovery = discoverySchema.safeParse(await this.fetchJson(url));
    if (!discovery.success) throw new Error(`${url} is no OpenID configuration`);
    // OpenID Connect Discovery 1.0, section 4.3: else one issuer could speak for another.
    if (discovery.data.issuer !== this.issuer) throw new Error(`${url} is that of ${discovery.data.issuer}`);
    const set = keySetSchema.safeParse(await this.fetchJson(discovery.data.jwks_uri));
    if (!set.success) throw new Error(`${discovery.data.jwks_uri} is no JWKS`);
    this.keys = set.data.keys.flatMap((jwk) => keyOfJwk(jwk) ?? []);
    this.fetchedAt = this.clock.monotonic();
  }
}
