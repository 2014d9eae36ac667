import type { ServiceBinding } from '@heddle/ca';
import type { ServiceBindings } from '../store/service-bindings.ts';
import type { EtcdClient } from './etcd-client.ts';

/** Bindings in etcd: whoever has joined at one control plane may be an instance at all of them. */
export class EtcdServiceBindings implements ServiceBindings {
  private readonly client: EtcdClient;
  private readonly keys: string;

  constructor(client: EtcdClient, prefix: string) {
    this.client = client;
    this.keys = `${prefix}/service-bindings/`;
  }

  async add(binding: ServiceBinding): Promise<void> {
    const value = Buffer.from('{}');
    await this.client.txn({ compare: [], success: [{ type: 'put', key: this.keyOf(binding), value }] });
  }

  async has(binding: ServiceBinding): Promise<boolean> {
    return (await this.client.range({ key: this.keyOf(binding) })).kvs.length > 0;
  }

  private keyOf({ namespace, serviceAccount, service }: ServiceBinding): string {
    return `${this.keys}${namespace}/${serviceAccount}/${service}`;
  }
}
