/** Where the mesh's configuration is kept, as `heddle up --datastore` says. */
import { assertNever, type Clock, type Logger, type Random } from '@heddle/base';
import type { TokenStore } from '@heddle/ca';
import type { ChannelTls } from '../etcd/grpc-channel.ts';
import type { InstanceStore } from '../instances/instance-store.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { MemoryConfigStore } from '../store/memory-config-store.ts';
import type { ServiceBindings } from '../store/service-bindings.ts';
import { SqliteConfigStore } from '../store/sqlite-config-store.ts';
import type { StoreDirectory } from './store-directory.ts';

/** A choice of a store for the configuration. */
export type DatastoreOptions =
  /** In `heddle.db` in the store directory. */
  | { readonly type: 'sqlite' }
  /** Gone with the process. */
  | { readonly type: 'memory' }
  /** In files, which are followed and not written; their history is kept in `heddle.db`. */
  | { readonly type: 'directory'; readonly path: string }
  | {
      readonly type: 'etcd';
      /** `host:port` each. */
      readonly endpoints: readonly string[];
      /** Begins every key, such as `/heddle`. */
      readonly prefix: string;
      /** Absent: without TLS. */
      readonly tls?: ChannelTls;
    };

export interface Surroundings {
  readonly directory: StoreDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** An opened store, and how to close it with all that keeps it up to date. */
export interface Datastore {
  readonly config: ConfigStore;
  /** What several control planes have in common beside the configuration; null where there is only one. */
  readonly shared: SharedStores | null;
  close(): Promise<void>;
}

export interface SharedStores {
  readonly instances: InstanceStore;
  readonly tokens: TokenStore;
  readonly bindings: ServiceBindings;
  /** Tells the other control planes where this one serves xDS, `host:port`. */
  announce(xdsAddress: string): Promise<void>;
  /** Where the others serve xDS. */
  otherControlPlanes(): readonly string[];
  /** Makes the root in the directory that of all; `make` makes one where there is none yet. */
  shareRoot(directory: string, make: () => Promise<void>): Promise<void>;
}

/** Opens it. Rejects with `HEDDLE_STORE_FAILED` where what it stands on is not there. */
export async function openDatastore(options: DatastoreOptions, around: Surroundings): Promise<Datastore> {
  switch (options.type) {
    case 'sqlite': {
      const config = sqliteStore(around);
      return { config, shared: null, close: () => config.close() };
    }
    case 'memory': {
      const config = new MemoryConfigStore(around.clock);
      return { config, shared: null, close: () => config.close() };
    }
    case 'directory':
      return await openDirectory(options.path, around);
    case 'etcd':
      return await openEtcd(options, around);
    default:
      return assertNever(options);
  }
}

function sqliteStore({ directory, clock }: Surroundings): SqliteConfigStore {
  return new SqliteConfigStore(directory.configuration, directory.configurationPath, clock);
}

async function openDirectory(path: string, around: Surroundings): Promise<Datastore> {
  const [{ DirectorySync }, { ReadOnlyConfigStore }] = await Promise.all([
    import('../directory/directory-sync.ts'),
    import('../store/read-only-config-store.ts'),
  ]);
  const { clock, logger } = around;
  const store = sqliteStore(around);
  const sync = new DirectorySync({ directory: path, store, clock, logger });
  await sync.start();
  const reason = `The configuration of this mesh is the files in ${path}: change them, and the control plane takes over what they say.`;
  return {
    config: new ReadOnlyConfigStore(store, reason),
    shared: null,
    close: async () => {
      await sync.close();
      await store.close();
    },
  };
}

async function openEtcd(
  { endpoints, prefix, tls }: DatastoreOptions & { readonly type: 'etcd' },
  { clock, random, logger }: Surroundings,
): Promise<Datastore> {
  const [
    { EtcdClient },
    { EtcdConfigStore },
    { EtcdInstanceStore },
    { ReplicaList },
    tokenStore,
    serviceBindings,
    root,
  ] = await Promise.all([
    import('../etcd/etcd-client.ts'),
    import('../etcd/etcd-config-store.ts'),
    import('../etcd/etcd-instance-store.ts'),
    import('../etcd/replica-list.ts'),
    import('../etcd/etcd-token-store.ts'),
    import('../etcd/etcd-service-bindings.ts'),
    import('../etcd/shared-root.ts'),
  ]);
  const client = new EtcdClient({ endpoints, ...(tls === undefined ? {} : { tls }) }, clock);
  try {
    const config = await EtcdConfigStore.open({ client, prefix, clock, random, logger });
    const instances = await EtcdInstanceStore.open({ client, prefix, clock, logger });
    const lease = instances.replicaLease;
    const replicas = new ReplicaList({ client, prefix, lease, clock, random, logger });
    return {
      config,
      shared: {
        instances,
        announce: (xdsAddress) => replicas.announce(xdsAddress),
        otherControlPlanes: () => replicas.others(),
        tokens: new tokenStore.EtcdTokenStore(client, prefix),
        bindings: new serviceBindings.EtcdServiceBindings(client, prefix),
        shareRoot: (directory, make) => root.shareRoot(client, prefix, directory, make),
      },
      close: async () => {
        replicas.close();
        await instances.close();
        await config.close();
        client.close();
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}
