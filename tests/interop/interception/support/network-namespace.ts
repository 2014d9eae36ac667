// Network namespaces of a test: machines of their own as far as addresses, routes and packet filters go.
import { fileURLToPath } from 'node:url';
import {
  type Child,
  type ChildOptions,
  findProgram,
  runChild,
  skipWithout,
  startChild,
} from '@heddle/testkit';

export const root: string = fileURLToPath(new URL('../../../..', import.meta.url));
export const launcher: string = fileURLToPath(
  new URL('../../../../packages/cli/bin/heddle', import.meta.url),
);

/** For `skip`: what interception's tests need, and root above all. */
export function skipInterception(...programs: readonly string[]): string | false {
  const needs = ['ip', 'iptables', 'ip6tables', 'nft', ...programs];
  const isRoot = process.getuid?.() === 0;
  return skipWithout({
    'root, for network namespaces': isRoot ? 'root' : null,
    ...Object.fromEntries(needs.map((name) => [name, findProgram(name)])),
  });
}

/** Runs a program of the system to its end and fails where it does. */
export async function system(program: string, ...words: readonly string[]): Promise<string> {
  const child = await runChild(findProgram(program) ?? program, { arguments: words });
  if (child.exit?.code !== 0) throw new Error(`${program} ${words.join(' ')}: ${child.output}`);
  return child.stdout;
}

let count = 0;

export class NetworkNamespace implements AsyncDisposable {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** A namespace with nothing but loopback. Its name is its own; it is gone with the test. */
  static async create(): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(`heddle-test-${process.pid}-${count++}`);
    await system('ip', 'netns', 'add', namespace.name);
    await namespace.system('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  /** Runs a program of the system in here, to its end. */
  system(program: string, ...words: readonly string[]): Promise<string> {
    return system('ip', 'netns', 'exec', this.name, findProgram(program) ?? program, ...words);
  }

  /** Runs a program in here, to its end, however that is. */
  run(words: readonly string[], options: Omit<ChildOptions, 'arguments'> = {}): Promise<Child> {
    return runChild(findProgram('ip')!, {
      ...options,
      arguments: ['netns', 'exec', this.name, ...words],
      name: words.join(' ').slice(0, 60),
    });
  }

  /** Starts a program in here; it ends with the test (`await using`). */
  start(words: readonly string[], options: Omit<ChildOptions, 'arguments'> = {}): Promise<Child> {
    return startChild(findProgram('ip')!, {
      ...options,
      arguments: ['netns', 'exec', this.name, ...words],
      name: words.join(' ').slice(0, 60),
    });
  }

  /** Runs `heddle` in here. */
  heddle(...words: readonly string[]): Promise<Child> {
    return this.run([launcher, ...words]);
  }

  /** Everything that rules and routes are made of, to compare a before with an after. */
  async configuration(): Promise<string> {
    const commands: readonly (readonly string[])[] = [
      ['iptables-save'],
      ['ip6tables-save'],
      ['nft', 'list', 'ruleset'],
      ['ip', 'rule'],
      ['ip', '-6', 'rule'],
      ['ip', 'route', 'show', 'table', 'all'],
      ['ip', '-6', 'route', 'show', 'table', 'all'],
    ];
    const parts: string[] = [];
    for (const [program, ...words] of commands)
      parts.push(`== ${program} ${words.join(' ')}\n${await this.system(program!, ...words)}`);
    // Without times, counters of packets, and the tables of iptables once more, whose chains nft shows in any order.
    return parts
      .join('')
      .replaceAll(/^# .*\n/gm, '')
      .replaceAll(/\[\d+:\d+\]/g, '')
      .replaceAll(/^table ip6? (?:nat|mangle) \{\n[^]*?^\}\n/gm, '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await system('ip', 'netns', 'del', this.name);
  }
}

/** Addresses of the two machines of a `Pair`, and of services that the second has beside its own. */
export const Address = {
  app: '10.77.0.1',
  app6: 'fd77::1',
  world: '10.77.0.2',
  world6: 'fd77::2',
  /** An address of another network, and one that exclusions name. */
  service: '10.99.0.1',
  service6: 'fd99::1',
  excluded: '10.88.0.1',
  excluded6: 'fd88::1',
} as const;

/** The machine with the proxy and its application, and the rest of the world, joined by one cable. */
export interface Pair extends AsyncDisposable {
  readonly app: NetworkNamespace;
  readonly world: NetworkNamespace;
}

export async function createPair(): Promise<Pair> {
  const stack = new AsyncDisposableStack();
  try {
    const app = stack.use(await NetworkNamespace.create());
    const world = stack.use(await NetworkNamespace.create());
    await app.system(
      'ip',
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      world.name,
    );
    const ends = [
      [app, Address.app, Address.app6],
      [world, Address.world, Address.world6],
    ] as const;
    for (const [namespace, v4, v6] of ends) {
      // Without a link-local address: it and its routes would come some time later, while a test compares.
      await namespace.system('ip', 'link', 'set', 'eth0', 'addrgenmode', 'none');
      await namespace.system('ip', 'address', 'add', `${v4}/24`, 'dev', 'eth0');
      await namespace.system('ip', 'address', 'add', `${v6}/64`, 'dev', 'eth0', 'nodad');
      await namespace.system('ip', 'link', 'set', 'eth0', 'up');
    }
    for (const address of [Address.service, Address.excluded])
      await world.system('ip', 'address', 'add', `${address}/32`, 'dev', 'lo');
    for (const address of [Address.service6, Address.excluded6])
      await world.system('ip', 'address', 'add', `${address}/128`, 'dev', 'lo', 'nodad');
    await app.system('ip', 'route', 'add', 'default', 'via', Address.world);
    await app.system('ip', '-6', 'route', 'add', 'default', 'via', Address.world6);
    const resources = stack.move();
    return { app, world, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
