/** Which hosts have instances for endpoints because of their labels. */
import { isSelectedBy, type MeshHost, type WorkloadLabels } from '@heddle/model';
import type { Instance } from '../instances/instance-store.ts';

interface Selection {
  readonly namespace: string;
  readonly labels: WorkloadLabels;
}

export class Selections {
  private readonly byHost = new Map<string, readonly Selection[]>();

  /** Takes what a host selects now, in any of its views; undefined for a host that is gone. */
  set(name: string, host: MeshHost | undefined): void {
    const views = host === undefined ? [] : [host.shared, ...host.views.values()];
    const selections = views.flatMap(({ declared }): Selection[] => {
      if (declared === undefined || declared.selector === null) return [];
      return [{ namespace: declared.namespace, labels: declared.selector }];
    });
    if (selections.length === 0) this.byHost.delete(name);
    else this.byHost.set(name, selections);
  }

  hostsWith({ namespace, labels }: Pick<Instance, 'namespace' | 'labels'>): string[] {
    const hosts: string[] = [];
    for (const [host, selections] of this.byHost) {
      const isOne = (selection: Selection): boolean =>
        selection.namespace === namespace && isSelectedBy(selection.labels, labels);
      if (selections.some(isOne)) hosts.push(host);
    }
    return hosts;
  }
}
