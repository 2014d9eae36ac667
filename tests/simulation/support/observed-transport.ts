import { type Transport, describeAddress } from '@heddle/proxy';

/** One attempt to connect. */
export interface ConnectAttempt {
  /** Milliseconds on the simulation's clock. */
  readonly atMs: number;
  readonly from: string;
  /** `host:port`. */
  readonly to: string;
}

/** A transport that notes where it is asked to connect to. */
export function observeConnects(transport: Transport, note: (to: string) => void): Transport {
  return {
    ownAddress: transport.ownAddress,
    listen: (options, accept) => transport.listen(options, accept),
    secure: (...parameters) => transport.secure(...parameters),
    connect: (options, handler) => {
      note(describeAddress(options.address));
      return transport.connect(options, handler);
    },
  };
}
