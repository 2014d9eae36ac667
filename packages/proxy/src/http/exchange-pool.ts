// Hot path.
import type { ExchangeSource, ServerStream } from '../codec/server-stream.ts';
import type { HttpSettingsSlot, ProxyContext } from './http-settings.ts';
import { ProxyExchange } from './proxy-exchange.ts';

/** So many wait for the next burst. */
const maxFree = 64;

/** The exchanges of a filter chain's connections. One that rests has none: of 5,000 idle connections they would be 7 MiB. */
export class ExchangePool implements ExchangeSource {
  private readonly context: ProxyContext;
  private readonly slot: HttpSettingsSlot;
  private readonly free: ProxyExchange[] = [];

  constructor(context: ProxyContext, slot: HttpSettingsSlot) {
    this.context = context;
    this.slot = slot;
  }

  take(stream: ServerStream): ProxyExchange {
    const exchange = this.free.pop() ?? new ProxyExchange(this.context, this.slot);
    exchange.attach(stream);
    return exchange;
  }

  giveBack(exchange: ProxyExchange): void {
    exchange.detach();
    if (this.free.length < maxFree) this.free.push(exchange);
    else exchange.close();
  }

  /** Lets go of what waits. */
  clear(): void {
    for (const exchange of this.free.splice(0)) exchange.close();
  }
}
