// Hot path.
// The engine's part of the event loop: one epoll instance, and turns in which its events are handled.
//
// libuv watches the epoll descriptor and wakes up when one of its sockets is ready; the work is then done by an immediate, whose
// turn comes after libuv's events in each round of the loop and which doesn't keep the loop from sleeping. So timers, promises and
// Node's own sockets get their turn as ever. What libuv watches is a server of Node's: a listening socket under whose number
// the epoll instance has been put. To accept from it fails, which libuv ignores. Unlike a handle made by libuv's functions, a
// server is closed by Node when its thread is ended from outside.
import { createServer, type Server } from 'node:net';
import { errorMessage } from '@heddle/base';
import type { DescriptorLedger } from './descriptor-ledger.ts';
import { type Kernel, maxEvents } from './kernel.ts';

/** After so many events and turns of owners the rest of the loop has its turn: about a millisecond. */
const maxHandledPerTurn = maxEvents;

/** What owns a descriptor that is watched. */
export interface Watched {
  /** Set by the poller. Tells an event of this owner from one that was meant for who had the same descriptor before. */
  generation: number;
  /** Set by the poller: `onTurn` is due. */
  isDue: boolean;
  /** Set by the poller: the process goes on for its sake. */
  isHolding: boolean;
  /** `events` as `Readiness` has them. */
  onReady(events: number): void;
  /** Asked for by `attend`. */
  onTurn(): void;
}

export class Poller {
  private readonly kernel: Kernel;
  private readonly epoll: number;
  private readonly server: Server;
  /** By descriptor. */
  private readonly owners: (Watched | null)[] = [];
  /** Owners for whose sake the process goes on. */
  private holding = 0;
  private lastGeneration = 0;
  private due: Watched[] = [];
  private ledger: DescriptorLedger | null = null;
  private immediate: NodeJS.Immediate | null = null;

  private constructor(kernel: Kernel, epoll: number, server: Server) {
    this.kernel = kernel;
    this.epoll = epoll;
    this.server = server;
    server.unref();
  }

  /** Or in a few words why there can be none. */
  static open(kernel: Kernel): Poller | string {
    const fd = kernel.openNamelessSocket();
    if (fd < 0) return `no socket to wake up by (${kernel.errorName})`;
    const server = createServer();
    server.on('error', ignoreError);
    try {
      server.listen({ fd });
    } catch (error) {
      // Node's permissions forbid it. Whose the descriptor is depends on how far it came.
      if (server.listening) server.close();
      else kernel.close(fd);
      return errorMessage(error);
    }
    const epoll = kernel.createEpoll();
    if (server.listening && epoll >= 0 && kernel.duplicateTo(epoll, fd) === fd) {
      kernel.close(epoll);
      return new Poller(kernel, fd, server);
    }
    const reason = `no epoll instance in the event loop (${kernel.errorName})`;
    if (epoll >= 0) kernel.close(epoll);
    server.close();
    return reason;
  }

  /** Notes the descriptors that are open, for who survives this thread. */
  keep(ledger: DescriptorLedger): void {
    this.ledger = ledger;
  }

  /** From now on `owner` is told of what `mask` says. Returns false where the kernel refuses. */
  watch(fd: number, mask: number, owner: Watched): boolean {
    this.lastGeneration = (this.lastGeneration + 1) >>> 0;
    if (this.kernel.watch(this.epoll, fd, mask, this.lastGeneration) < 0) return false;
    owner.generation = this.lastGeneration;
    this.owners[fd] = owner;
    this.ledger?.add(fd);
    this.hold(owner);
    this.schedule();
    return true;
  }

  /** `owner` hears no more of a descriptor that it keeps, until it is watched again. */
  rest(fd: number): void {
    this.kernel.unwatch(this.epoll, fd);
  }

  /** To be called before a descriptor is closed that no other process has: its owner hears no more. */
  forget(fd: number): void {
    const owner = this.owners[fd] ?? null;
    this.owners[fd] = null;
    this.ledger?.remove(fd);
    if (owner !== null) this.release(owner);
  }

  /** As `forget`, for what stays open, here or in a process that has inherited it: the kernel would go on to tell of it. */
  unwatch(fd: number): void {
    this.kernel.unwatch(this.epoll, fd);
    this.forget(fd);
  }

  /** Nothing more will come: the process may end, as far as `owner` is concerned. */
  release(owner: Watched): void {
    if (!owner.isHolding) return;
    owner.isHolding = false;
    if (--this.holding === 0) this.server.unref();
  }

  private hold(owner: Watched): void {
    if (owner.isHolding) return;
    owner.isHolding = true;
    if (this.holding++ === 0) this.server.ref();
  }

  /** Calls `onTurn` in the next turn, which comes at once. */
  attend(owner: Watched): void {
    if (owner.isDue) return;
    owner.isDue = true;
    this.due.push(owner);
    this.schedule().ref();
  }

  private schedule(): NodeJS.Immediate {
    this.immediate ??= setImmediate(this.turn).unref();
    return this.immediate;
  }

  private readonly turn = (): void => {
    this.immediate = null;
    this.schedule();
    let handled = 0;
    for (;;) {
      if (this.due.length > 0) handled += this.attendToAll();
      const count = this.kernel.takeEvents(this.epoll);
      this.handle(count);
      handled += count;
      // One event alone comes from a quiet network: looking for more would cost as much as waiting for it.
      if (count <= 1) return;
      if (handled >= maxHandledPerTurn) break;
    }
    // More may be there: the loop is not to sleep.
    this.schedule().ref();
  };

  /** Returns how many there were. */
  private attendToAll(): number {
    const { due } = this;
    this.due = [];
    for (let i = 0; i < due.length; i++) {
      const owner = due[i]!;
      owner.isDue = false;
      owner.onTurn();
    }
    return due.length;
  }

  private handle(count: number): void {
    const { kernel, owners } = this;
    for (let i = 0; i < count; i++) {
      // An earlier event of this turn may have closed the descriptor, and even opened another under its number.
      const owner = owners[kernel.eventDescriptor(i)] ?? null;
      if (owner !== null && owner.generation === kernel.eventGeneration(i))
        owner.onReady(kernel.eventMask(i));
    }
  }
}

function ignoreError(): void {
  // Nobody accepts from it.
}
