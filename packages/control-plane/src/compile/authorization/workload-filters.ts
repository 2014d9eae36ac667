// What is put before everything that comes in at a workload.
import { modeForWorkload, type MtlsMode, type WorkloadPolicies } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import type { Filter } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import type { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { SidecarNode } from '../node-metadata.ts';
import { connectionAuthorization, requestAuthorization } from './authorization-filters.ts';

export interface WorkloadFilters {
  /** For requests to the application. */
  readonly requests: readonly DeepPartial<HttpFilter>[];
  /** For connections to the application. */
  readonly connections: readonly DeepPartial<Filter>[];
  /** For connections to any port of the machine. */
  readonly strayConnections: readonly DeepPartial<Filter>[];
  /** Whether callers show a certificate of the mesh. */
  readonly mtls: MtlsMode;
}

/** Makes the filters of workloads; those that have the same policies and the same ports share them, encoded. */
export class FilterFactory {
  private readonly trustDomains: readonly string[];
  private readonly made = new WeakMap<WorkloadPolicies, Map<string, WorkloadFilters>>();

  /** The mesh's own trust domain first. */
  constructor(trustDomains: readonly string[]) {
    this.trustDomains = trustDomains;
  }

  make(policies: WorkloadPolicies, { servicePort, appPort }: SidecarNode): WorkloadFilters {
    let byPort = this.made.get(policies);
    if (byPort === undefined) {
      byPort = new Map();
      this.made.set(policies, byPort);
    }
    const key = `${servicePort} ${appPort}`;
    let filters = byPort.get(key);
    if (filters === undefined) {
      filters = this.compile(policies, [servicePort, appPort]);
      byPort.set(key, filters);
    }
    return filters;
  }

  private compile(
    { authorization, mtls }: WorkloadPolicies,
    ports: readonly [servicePort: number, appPort: number],
  ): WorkloadFilters {
    const { trustDomains } = this;
    return {
      requests: requestAuthorization(authorization, { trustDomains, ports }),
      connections: connectionAuthorization(authorization, { trustDomains, ports }),
      strayConnections: connectionAuthorization(authorization, { trustDomains, ports: null }),
      mtls: modeForWorkload(mtls, ...ports),
    };
  }
}
