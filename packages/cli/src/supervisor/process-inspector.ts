// Looks at a running application from outside, through Linux's /proc. Elsewhere it sees nothing, and says nothing.
import { readdir, readFile, readlink } from 'node:fs/promises';

/** One row of /proc/net/tcp. */
export interface TcpSocket {
  readonly state: 'listen' | 'established' | 'other';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly inode: string;
}

/** Reads an address as the kernel prints it: 32-bit words, each in the byte order of the machine (little-endian). */
export function parseKernelAddress(hex: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let byte = 6; byte >= 0; byte -= 2) {
      bytes.push(Number.parseInt(hex.slice(word + byte, word + byte + 2), 16));
    }
  }
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  if (bytes.every((byte, index) => byte === (index === 15 ? 1 : 0))) return '::1';
  if (bytes.every((byte) => byte === 0)) return '::';
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! * 256 + bytes[i + 1]!).toString(16));
  return groups.join(':');
}

/** Parses /proc/net/tcp or /proc/net/tcp6. */
export function parseTcpTable(text: string): readonly TcpSocket[] {
  const sockets: TcpSocket[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local, remote, state] = fields;
    const inode = fields[9];
    if (local === undefined || remote === undefined || inode === undefined) continue;
    const [localHex = '', localPort = ''] = local.split(':');
    const [remoteHex = '', remotePort = ''] = remote.split(':');
    sockets.push({
      state: state === '0A' ? 'listen' : state === '01' ? 'established' : 'other',
      localAddress: parseKernelAddress(localHex),
      localPort: Number.parseInt(localPort, 16),
      remoteAddress: parseKernelAddress(remoteHex),
      remotePort: Number.parseInt(remotePort, 16),
      inode,
    });
  }
  return sockets;
}

/** Whether only programs on this machine can connect to it. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** What an application's processes are and hold open. */
export interface ProcessTreeView {
  /** Paths of the executables that run. */
  readonly executables: readonly string[];
  readonly sockets: readonly TcpSocket[];
}

interface ProcessStatus {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

async function readStatus(pid: number): Promise<ProcessStatus | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses and may hold anything, parentheses included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 4) return null;
  return { pid, parent: Number(fields[1]), session: Number(fields[3]) };
}

/** Processes of the session that `leader` began, and their descendants that have begun one of their own. */
async function processTree(leader: number): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => [] as string[]);
  const numbers = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  const statuses = (await Promise.all(numbers.map(readStatus))).filter((status) => status !== null);
  const members = new Set(statuses.filter((status) => status.session === leader).map(({ pid }) => pid));
  members.add(leader);
  for (let before = 0; before !== members.size;) {
    before = members.size;
    for (const { pid, parent } of statuses) if (members.has(parent)) members.add(pid);
  }
  return [...members];
}

async function socketInodes(pid: number): Promise<readonly string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => [] as string[]);
  const links = await Promise.all(names.map((name) => readlink(`${directory}/${name}`).catch(() => '')));
  return links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '').filter((inode) => inode !== '');
}

/** Looks at the processes of the session that `leader` leads; null where /proc can't tell. */
export async function inspectProcessTree(leader: number): Promise<ProcessTreeView | null> {
  if (process.platform !== 'linux') return null;
  // The application's own view of the network: it may run in a namespace of its own.
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${leader}/net/${name}`, 'utf8').catch(() => '')),
  );
  const pids = await processTree(leader);
  const inodes = new Set((await Promise.all(pids.map(socketInodes))).flat());
  const executables = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/exe`).catch(() => '')));
  return {
    executables: [...new Set(executables)].filter((path) => path !== ''),
    sockets: tables.flatMap((table) => parseTcpTable(table)).filter((socket) => inodes.has(socket.inode)),
  };
}
