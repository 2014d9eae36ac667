// The calls that Node has no function for, those on sockets for interception and one on memory, by `node:ffi`. Nothing but this and
// `transport/sys` calls the C library; every signature below stands beside its C prototype.
import { getSystemErrorName } from 'node:util';
import { HeddleError, errorMessage } from '@heddle/base';
import { type ForeignFunctions, loadForeignFunctions } from './foreign-functions.ts';

/** A call's outcome: what it returned, or the system's name of its error, such as `ENOENT`. */
export type CallResult =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly error: string };

/** Linux's numbers, alike on x86-64 and arm64. */
export const SocketConstant = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_IP: 0,
  SOL_SOCKET: 1,
  SOL_IPV6: 41,
  SO_REUSEADDR: 2,
  SO_REUSEPORT: 15,
  SO_MARK: 36,
  IP_TRANSPARENT: 19,
  IP_BIND_ADDRESS_NO_PORT: 24,
  IPV6_V6ONLY: 26,
  IPV6_TRANSPARENT: 75,
  /** `SO_ORIGINAL_DST` at level SOL_IP and `IP6T_SO_ORIGINAL_DST` at level SOL_IPV6. */
  SO_ORIGINAL_DST: 80,
} as const;

export interface Libc {
  /** Fills `value`; returns how many bytes of it the kernel has written. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array): CallResult;
  /** Sets an option whose value is an `int`. */
  setsockopt(fd: number, level: number, option: number, value: number): CallResult;
  /** Returns the new descriptor. */
  socket(domain: number, type: number, protocol: number): CallResult;
  /** `address` is a `sockaddr_in` or `sockaddr_in6`. */
  bind(fd: number, address: Uint8Array): CallResult;
  close(fd: number): void;
}

let loaded: Libc | HeddleError | null = null;

/**
 * The C library, or why it can't be called here: another system than Linux, or a Node whose `node:ffi` is missing or
 * switched off. Tried once; nothing is loaded before the first call.
 */
export function openLibc(): Libc | HeddleError {
  loaded ??= load();
  return loaded;
}

let mallocTrim: ((pad: bigint) => unknown) | null | undefined;

/** Has glibc give free pages back to the system; does nothing where that isn't possible. */
export function trimHeap(): void {
  if (mallocTrim === undefined) {
    try {
      const functions = loadForeignFunctions()?.dlopen(null, {
        // int malloc_trim(size_t pad): glibc only.
        malloc_trim: { arguments: ['u64'], return: 'i32' },
      }).functions;
      mallocTrim = functions === undefined ? null : (pad) => functions.malloc_trim(pad);
    } catch {
      mallocTrim = null;
    }
  }
  mallocTrim?.(0n);
}

function load(): Libc | HeddleError {
  if (process.platform !== 'linux') {
    return unavailable(`interception of traffic needs Linux, this is ${process.platform}`);
  }
  try {
    const ffi = loadForeignFunctions();
    if (ffi === undefined) {
      return unavailable(
        `interception of traffic needs node:ffi, which Node ${process.version} lacks or has switched off: ` +
          'use Node 26.10 or newer without --no-experimental-ffi',
      );
    }
    return bindFunctions(ffi);
  } catch (error) {
    return unavailable(`interception of traffic can't call the C library: ${errorMessage(error)}`, error);
  }
}

function unavailable(message: string, cause?: unknown): HeddleError {
  return new HeddleError('HEDDLE_INTERCEPTION_UNAVAILABLE', message, { cause });
}

function bindFunctions(ffi: ForeignFunctions): Libc {
  // Null is the program itself, which is linked with its C library: no file name to guess, glibc and musl alike.
  const { functions } = ffi.dlopen(null, {
    // int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)
    getsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
    // int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)
    setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
    // int socket(int domain, int type, int protocol)
    socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)
    bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
    // int close(int fd)
    close: { arguments: ['i32'], return: 'i32' },
    // int *__errno_location(void): the same in glibc and musl.
    __errno_location: { arguments: [], return: 'pointer' },
  });
  // `errno` belongs to the thread, and a module to one thread: read in place, no call can change it in between.
  const errno = new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false));
  // Memory of its own, held here: the garbage collector neither moves nor frees what the kernel writes to.
  const scratch = new ArrayBuffer(64);
  const bytes = new Uint8Array(scratch, 0, 48);
  const integer = new Int32Array(scratch, 48, 1);
  const length = new Uint32Array(scratch, 52, 1);
  const start = ffi.getRawPointer(scratch);
  const integerAt = start + 48n;
  const lengthAt = start + 52n;

  const outcome = (value: number): CallResult =>
    value >= 0 ? { ok: true, value } : { ok: false, error: getSystemErrorName(-errno[0]!) };
  const requireRoom = (value: Uint8Array): void => {
    if (value.length > bytes.length)
      throw new RangeError(`${value.length} bytes are more than a socket address`);
  };
  return {
    getsockopt(fd, level, option, value) {
      requireRoom(value);
      length[0] = value.length;
      const result = outcome(functions.getsockopt(fd, level, option, start, lengthAt));
      if (!result.ok) return result;
      value.set(bytes.subarray(0, length[0]));
      return { ok: true, value: length[0] };
    },
    setsockopt(fd, level, option, value) {
      integer[0] = value;
      return outcome(functions.setsockopt(fd, level, option, integerAt, 4));
    },
    socket: (domain, type, protocol) => outcome(functions.socket(domain, type, protocol)),
    bind(fd, address) {
      requireRoom(address);
      bytes.set(address);
      return outcome(functions.bind(fd, start, address.length));
    },
    close(fd) {
      functions.close(fd);
    },
  };
}
