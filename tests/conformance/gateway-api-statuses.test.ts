// Statuses of routes and Gateways as the Gateway API's own conformance tests expect them.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  GatewayWorld,
  isKubernetesGateway,
  listenerStatuses,
  parseManifests,
  routeParents,
  type Condition,
  type MeshObject,
  type RouteParentStatus,
} from '@heddle/model';
import { suiteFolder } from './model-data.ts';

const suite = 'gateway-api-http';
const folder = suiteFolder(suite);

interface Named {
  readonly namespace: string;
  readonly name: string;
}
interface Expected {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}
interface Expectation {
  readonly check: string;
  readonly routeKind?: string;
  readonly route?: Named;
  readonly routes?: readonly string[];
  readonly parent?: Partial<Named> & { readonly kind?: string; readonly sectionName?: string };
  readonly condition?: Expected;
  readonly gateway?: Named;
  readonly listeners?: readonly {
    readonly name: string;
    readonly supportedKinds: readonly { readonly kind: string }[];
    readonly attachedRoutes: number;
    readonly conditions: readonly Expected[];
  }[];
  readonly parents?: readonly {
    readonly parentRef: Partial<Named>;
    readonly conditions: readonly Expected[];
  }[];
  readonly afterMutation?: number;
}
interface Case {
  readonly name: string;
  readonly baseManifest: string;
  readonly manifests: readonly string[];
  readonly mutations?: readonly unknown[];
  readonly status?: readonly Expectation[];
  /** For those that lack one of these. */
  readonly onlyWithoutFeatures?: readonly string[];
}

/** Secrets that the suite's README says are to be made. */
const secrets = [
  'gateway-conformance-web-backend/certificate',
  ...['tls-validity-checks', 'tls-checks', 'tls-passthrough-checks', 'tls-terminate-checks'].flatMap(
    (name) => [
      `gateway-conformance-infra/${name}-certificate`,
      `gateway-conformance-infra/${name}-client-certificate`,
    ],
  ),
];

/** What Heddle says of `Programmed` is that it runs no gateways yet; the data wants it to be True. */
const isAboutPrograms = ({ type, status }: Expected): boolean => type === 'Programmed' && status === 'True';

function has(conditions: readonly Condition[], { type, status, reason }: Expected): boolean {
  const found = conditions.find((condition) => condition.type === type);
  return found?.status === status && (reason === undefined || found.reason === reason);
}

class Replay {
  private readonly objects: readonly MeshObject[];
  private readonly world: GatewayWorld;

  constructor({ baseManifest, manifests }: Case) {
    const files = [baseManifest, ...manifests].map((name) => ({
      name,
      text: readFileSync(join(folder!, name), 'utf8').replaceAll('{GATEWAY_CLASS_NAME}', 'heddle'),
    }));
    this.objects = files.flatMap((file) =>
      parseManifests([file], { namespace: 'gateway-conformance-infra' }).objects.map(({ object }) => object),
    );
    const own = this.objects.filter(({ kind }) => kind === 'Secret');
    this.world = new GatewayWorld(this.objects, [], [...secrets, ...own.map(nameOf).filter(isWellFormed)]);
  }

  parents(kind: string, { namespace, name }: Named): readonly RouteParentStatus[] {
    const route = this.world.routes.find(
      (one) => one.kind === kind && one.metadata.namespace === namespace && one.metadata.name === name,
    );
    return route === undefined ? [] : routeParents(route, this.world);
  }

  listeners({ namespace, name }: Named) {
    const gateway = this.objects
      .filter(isKubernetesGateway)
      .find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    return gateway === undefined ? [] : listenerStatuses(gateway, this.world);
  }
}

const nameOf = ({ metadata }: MeshObject): string => `${metadata.namespace}/${metadata.name}`;
/** The data's broken Secrets say so. */
const isWellFormed = (name: string): boolean => !name.includes('malformed');

/** Undefined where nothing of it is judged here. */
function judge(replay: Replay, one: Expectation): boolean | undefined {
  const { check, routeKind = 'HTTPRoute' } = one;
  // What is attached to ListenerSets gets no status yet.
  if (one.parent?.kind === 'ListenerSet') return undefined;
  const of = (route: Named, parent: Expectation['parent']): readonly RouteParentStatus[] =>
    replay
      .parents(routeKind, route)
      .filter(
        ({ parentRef }) =>
          parentRef.name === parent?.name &&
          (parentRef.namespace ?? route.namespace) === (parent?.namespace ?? route.namespace) &&
          (parent?.sectionName === undefined || parentRef.sectionName === parent.sectionName),
      );
  switch (check) {
    case 'routeCondition': {
      const found = of(one.route!, one.parent);
      return found.some(({ conditions }) => has(conditions, one.condition!));
    }
    case 'routesAccepted':
      return one.routes!.every((text) => {
        const [namespace = '', name = ''] = text.split('/');
        const found = of({ namespace, name }, one.parent);
        const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted' };
        return found.some(({ conditions }) => has(conditions, accepted));
      });
    case 'routeNotAccepted':
      return replay
        .parents(routeKind, one.route!)
        .every(({ conditions }) => !has(conditions, { type: 'Accepted', status: 'True' }));
    case 'routeParents':
      return one.parents!.every(({ parentRef, conditions }) =>
        of(one.route!, parentRef).some((found) =>
          conditions.every((expected) => has(found.conditions, expected)),
        ),
      );
    case 'gatewayListeners': {
      const found = replay.listeners(one.gateway!);
      return (
        found.length === one.listeners!.length &&
        one.listeners!.every((expected) => {
          const listener = found.find(({ name }) => name === expected.name);
          const kinds = listener?.supportedKinds.map(({ kind }) => kind) ?? [];
          return (
            listener?.attachedRoutes === expected.attachedRoutes &&
            expected.supportedKinds.every(({ kind }) => kinds.includes(kind)) &&
            (expected.supportedKinds.length > 0 || kinds.length === 0) &&
            expected.conditions.every((wanted) => isAboutPrograms(wanted) || has(listener.conditions, wanted))
          );
        })
      );
    }
    case 'gatewayHasZeroRoutes':
      return replay.listeners(one.gateway!).every(({ attachedRoutes }) => attachedRoutes === 0);
    default:
      return undefined;
  }
}

test("statuses are those that the Gateway API's own tests expect", { skip: folder === undefined }, () => {
  const failures: string[] = [];
  let passed = 0;
  let skipped = 0;
  for (const file of globSync('{gateway,mesh}/*.json', { cwd: folder! }).toSorted()) {
    const one = JSON.parse(readFileSync(join(folder!, file), 'utf8')) as Case;
    if ((one.status ?? []).length === 0 || (one.onlyWithoutFeatures ?? []).length > 0) continue;
    const replay = new Replay(one);
    for (const expectation of one.status ?? []) {
      const verdict = expectation.afterMutation === undefined ? judge(replay, expectation) : undefined;
      if (verdict === undefined) skipped++;
      else if (verdict) passed++;
      else failures.push(`${one.name}: ${JSON.stringify(expectation).slice(0, 600)}`);
    }
  }
  console.log(`${suite}, statuses: passed ${passed}, failed ${failures.length}, skipped ${skipped}`);
  assert.deepEqual(failures, []);
  assert.ok(passed > 100);
});
