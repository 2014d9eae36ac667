// Hot path.
// The system calls of the engine, by `node:ffi`: one class, so that every place where memory meets the kernel can be seen at once.
import { getSystemErrorName } from 'node:util';
import { errorMessage } from '@heddle/base';
import { type ForeignFunctions, loadForeignFunctions } from '../../interception/foreign-functions.ts';
import {
  decodeSocketAddress,
  encodeSocketAddress,
  socketAddressBytes,
} from '../../interception/socket-address.ts';
import { SocketConstant as C } from '../../interception/libc.ts';
import type { TcpAddress } from '../transport.ts';

/** Linux's error numbers, alike on x86-64 and arm64. */
export const ErrorNumber = {
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  ENFILE: 23,
  EMFILE: 24,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EINPROGRESS: 115,
} as const;

/** Bits of what epoll watches for and tells. */
export const Readiness = {
  IN: 0x1,
  PRI: 0x2,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  RDHUP: 0x2000,
  /** Told once per change, not for as long as it holds. */
  EDGE: 0x8000_0000,
} as const;

const AF_UNIX = 1;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const SHUT_WR = 1;
const streamSocket = C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;

/** Events taken from the kernel at a time. */
export const maxEvents = 128;
const maxEventsWord = BigInt(maxEvents);
/** What is written from memory whose address nobody knows is copied here first, so much at a time. */
export const stagingBytes = 64 * 1024;
/** No call gets more: what it returns has to fit into 32 bits with room to spare. */
const maxCallBytes = 0x4000_0000;

// struct epoll_event { uint32_t events; epoll_data_t data; }: packed on x86-64, aligned to 8 bytes elsewhere.
const eventWords = process.arch === 'x64' ? 3 : 4;
const eventDataAt = eventWords - 2;

let opened: Kernel | string | null = null;

/** This thread's, or in half a sentence why system calls can't be made here. */
export function openKernel(): Kernel | string {
  opened ??= open();
  return opened;
}

function open(): Kernel | string {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    return `this is ${process.arch}, neither x64 nor arm64`;
  try {
    const ffi = loadForeignFunctions();
    return ffi === undefined ? 'node:ffi is missing or switched off' : new Kernel(ffi);
  } catch (error) {
    return errorMessage(error);
  }
}

/**
 * Calls answer as in C: a negative number for an error, whose number is `errorNumber` until the next call. Memory that the
 * kernel gets an address of is allocated once and held here, or handed in by its address and length by who holds it: all calls
 * are synchronous, so the kernel keeps nothing.
 */
export class Kernel {
  /** What epoll told last: `eventCount` entries, to be read by `eventMask`, `eventDescriptor` and `eventGeneration`. */
  private readonly events = new Uint32Array(new ArrayBuffer(maxEvents * 16));
  private readonly eventsAt: bigint;
  /** For everything small: a socket address at 0, its length at 32, an option's value at 40. */
  private readonly scratch = new ArrayBuffer(64);
  private readonly scratchBytes = new Uint8Array(this.scratch);
  private readonly scratchWords = new Uint32Array(this.scratch);
  private readonly scratchAt: bigint;
  private readonly lengthAt: bigint;
  private readonly valueAt: bigint;
  private readonly errno: Int32Array;
  /** Descriptors as the words that calls take, made once for each number. */
  private readonly descriptorWords: bigint[] = [];
  private readonly ffi: ForeignFunctions;
  /** Held: the functions end with it. */
  private readonly library: ReturnType<typeof bindFunctions>;
  private readonly c: ReturnType<typeof bindFunctions>['functions'];

  /** What goes to the kernel and is not in a read buffer. */
  readonly staging: Buffer = Buffer.allocUnsafeSlow(stagingBytes);
  readonly stagingAddress: bigint;

  constructor(ffi: ForeignFunctions) {
    this.ffi = ffi;
    this.library = bindFunctions(ffi);
    this.c = this.library.functions;
    this.eventsAt = ffi.getRawPointer(this.events.buffer);
    this.scratchAt = ffi.getRawPointer(this.scratch);
    this.lengthAt = this.scratchAt + 32n;
    this.valueAt = this.scratchAt + 40n;
    this.stagingAddress = this.addressOf(this.staging);
    // It belongs to the thread, and this object to one thread: read in place, no call can change it in between.
    this.errno = new Int32Array(ffi.toArrayBuffer(this.c.__errno_location(), 4, false));
  }

  get errorNumber(): number {
    return this.errno[0]!;
  }

  /** The system's name of the last error, such as `ECONNRESET`. */
  get errorName(): string {
    return getSystemErrorName(-this.errno[0]!);
  }

  /**
   * Where a buffer's memory is, for `read` and `write`. Valid for as long as the buffer is held: memory outside V8's heap does
   * not move. Only for buffers with memory of their own (`allocUnsafeSlow` of more than 64 bytes).
   */
  addressOf(buffer: Buffer): bigint {
    return this.ffi.getRawPointer(buffer);
  }

  /** Reads at most `length` bytes to `address`. 0 at the peer's end. */
  read(fd: number, address: bigint, length: number): number {
    return this.c.read(this.descriptorWords[fd] ?? this.wordOf(fd), address, lengthWord(length));
  }

  /** Writes `length` bytes from `address`. Returns how many the kernel has taken. */
  write(fd: number, address: bigint, length: number): number {
    return this.c.write(this.descriptorWords[fd] ?? this.wordOf(fd), address, lengthWord(length));
  }

  createEpoll(): number {
    return this.c.epoll_create1(C.SOCK_CLOEXEC);
  }

  /** Tells of a descriptor what `mask` says, with `generation`. */
  watch(epoll: number, fd: number, mask: number, generation: number): number {
    const { scratchWords } = this;
    scratchWords[0] = mask;
    scratchWords[eventDataAt] = fd;
    scratchWords[eventDataAt + 1] = generation;
    return this.c.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, this.scratchAt);
  }

  unwatch(epoll: number, fd: number): void {
    this.c.epoll_ctl(epoll, EPOLL_CTL_DEL, fd, this.scratchAt);
  }

  /** Takes what has happened, without waiting. Returns how many events there are. */
  takeEvents(epoll: number): number {
    const word = this.descriptorWords[epoll] ?? this.wordOf(epoll);
    return this.c.epoll_wait(word, this.eventsAt, maxEventsWord, 0n);
  }

  eventMask(index: number): number {
    return this.events[index * eventWords]!;
  }

  eventDescriptor(index: number): number {
    return this.events[index * eventWords + eventDataAt]!;
  }

  eventGeneration(index: number): number {
    return this.events[index * eventWords + eventDataAt + 1]!;
  }

  /** A socket on TCP that doesn't block. */
  openSocket(isV6: boolean): number {
    return this.c.socket(isV6 ? C.AF_INET6 : C.AF_INET, streamSocket, 0);
  }

  /** A Unix socket with a name that the kernel chooses; nobody connects to it. */
  openNamelessSocket(): number {
    const fd = this.c.socket(AF_UNIX, streamSocket, 0);
    if (fd < 0) return fd;
    this.scratchWords[0] = AF_UNIX;
    // No more than the family: the kernel gives it a name in the abstract namespace (unix(7), autobind).
    const bound = this.c.bind(fd, this.scratchAt, 2);
    if (bound >= 0) return fd;
    const failure = this.errorNumber;
    this.c.close(fd);
    this.errno[0] = failure;
    return bound;
  }

  bind(fd: number, address: TcpAddress): number {
    return this.c.bind(fd, this.scratchAt, this.putAddress(address));
  }

  listen(fd: number, backlog: number): number {
    return this.c.listen(fd, backlog);
  }

  /** Starts to connect: a failure with EINPROGRESS is none. */
  connect(fd: number, address: TcpAddress): number {
    return this.c.connect(fd, this.scratchAt, this.putAddress(address));
  }

  /** Takes a connection; who it is from, `takenAddress` tells. */
  accept(fd: number): number {
    this.scratchWords[8] = socketAddressBytes;
    return this.c.accept4(fd, this.scratchAt, this.lengthAt, C.SOCK_NONBLOCK | C.SOCK_CLOEXEC);
  }

  /** The address that the last `accept` has left. */
  takenAddress(): TcpAddress | null {
    return decodeSocketAddress(this.scratchBytes.subarray(0, this.scratchWords[8]));
  }

  localAddress(fd: number): TcpAddress | null {
    this.scratchWords[8] = socketAddressBytes;
    return this.c.getsockname(fd, this.scratchAt, this.lengthAt) < 0 ? null : this.takenAddress();
  }

  /** What has failed on a socket, as a positive error number; 0 for nothing. */
  socketError(fd: number): number {
    this.scratchWords[10] = 0;
    this.scratchWords[8] = 4;
    const result = this.c.getsockopt(fd, C.SOL_SOCKET, SO_ERROR, this.valueAt, this.lengthAt);
    return result < 0 ? this.errorNumber : this.scratchWords[10];
  }

  /** Small writes leave at once. Connections that a listener accepts are born with what it has. */
  setNoDelay(fd: number): void {
    this.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  }

  /** Probes an idle peer after so long, as libuv does; 0 for the system's time. */
  setKeepAlive(fd: number, idleSeconds: number): void {
    this.setOption(fd, C.SOL_SOCKET, SO_KEEPALIVE, 1);
    if (idleSeconds === 0) return;
    this.setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, idleSeconds);
    this.setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    this.setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 10);
  }

  /** Closing sends a reset. */
  setLinger(fd: number): void {
    // struct linger { int l_onoff; int l_linger; }
    this.scratchWords[10] = 1;
    this.scratchWords[11] = 0;
    this.c.setsockopt(fd, C.SOL_SOCKET, SO_LINGER, this.valueAt, 8);
  }

  setOption(fd: number, level: number, option: number, value: number): number {
    this.scratchWords[10] = value;
    return this.c.setsockopt(fd, level, option, this.valueAt, 4);
  }

  /** Says that no more is written. */
  shutDown(fd: number): void {
    this.c.shutdown(fd, SHUT_WR);
  }

  /** Makes `fd` name what `original` names, instead of what it did. */
  duplicateTo(original: number, fd: number): number {
    return this.c.dup3(original, fd, C.SOCK_CLOEXEC);
  }

  /**
   * Takes over a listening socket that was inherited, or given by another thread; returns its new number. Under its old one
   * every program that is started would inherit it in turn.
   */
  adoptListeningSocket(fd: number): number {
    this.setNoDelay(fd);
    const adopted = this.duplicate(fd);
    if (adopted < 0) return fd;
    this.c.close(fd);
    return adopted;
  }

  /** Another descriptor of the same socket, which no program started from here gets. */
  duplicate(fd: number): number {
    const copy = this.c.dup(fd);
    // It can't be had at once without a call whose arguments vary in number.
    if (copy >= 0) this.c.dup3(fd, copy, C.SOCK_CLOEXEC);
    return copy;
  }

  close(fd: number): void {
    this.c.close(fd);
  }

  private putAddress(address: TcpAddress): number {
    const bytes = encodeSocketAddress(address);
    this.scratchBytes.set(bytes);
    return bytes.length;
  }

  private wordOf(fd: number): bigint {
    const word = BigInt.asUintN(32, BigInt(fd));
    if (fd >= 0) this.descriptorWords[fd] = word;
    return word;
  }
}

/** Also what is not a number fails here, and nothing negative passes for a huge length. */
function lengthWord(length: number): bigint {
  if (!(length >= 0 && length <= maxCallBytes)) throw new RangeError('no such memory');
  return BigInt(length);
}

function bindFunctions(ffi: ForeignFunctions) {
  // Null is the program itself, which is linked with its C library: no file name to guess, glibc and musl alike.
  // The calls of each request take whole words: Node looks up and checks the range of every smaller argument, at 50 ns each, and
  // passes a BigInt that is declared a pointer on as it is. What takes an int there reads the lower half. What returns
  // ssize_t is declared as 32 bits: `lengthWord` lets nothing longer through.
  return ffi.dlopen(null, {
    // ssize_t read(int fd, void *buf, size_t count)
    read: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
    // ssize_t write(int fd, const void *buf, size_t count)
    write: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
    // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)
    epoll_wait: { arguments: ['pointer', 'pointer', 'pointer', 'pointer'], return: 'i32' },
    // int epoll_create1(int flags)
    epoll_create1: { arguments: ['i32'], return: 'i32' },
    // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
    epoll_ctl: { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' },
    // int socket(int domain, int type, int protocol)
    socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)
    bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
    // int listen(int sockfd, int backlog)
    listen: { arguments: ['i32', 'i32'], return: 'i32' },
    // int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)
    accept4: { arguments: ['i32', 'pointer', 'pointer', 'i32'], return: 'i32' },
    // int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)
    connect: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
    // int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)
    getsockname: { arguments: ['i32', 'pointer', 'pointer'], return: 'i32' },
    // int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)
    getsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
    // int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)
    setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
    // int shutdown(int sockfd, int how)
    shutdown: { arguments: ['i32', 'i32'], return: 'i32' },
    // int dup(int oldfd)
    dup: { arguments: ['i32'], return: 'i32' },
    // int dup3(int oldfd, int newfd, int flags)
    dup3: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    // int close(int fd)
    close: { arguments: ['i32'], return: 'i32' },
    // int *__errno_location(void): the same in glibc and musl.
    __errno_location: { arguments: [], return: 'pointer' },
  });
}
