import type {
  Connection,
  DatagramAddress,
  DatagramSocket,
  DatagramTransport,
  Listener,
  Transport,
} from '@heddle/proxy';
import { FrameReader, frameMessage } from '@heddle/proxy/dns/framing';
import { type DnsMessage, type DnsQuestion, type DnsRecord, RecordType } from '@heddle/proxy/dns/message';
import { readMessage } from '@heddle/proxy/dns/read';
import { writeMessage } from '@heddle/proxy/dns/write';

/** How a server answers one question; what is left out is the ordinary. */
export interface DnsAnswer {
  readonly responseCode?: number;
  readonly answers?: readonly DnsRecord[];
  /** By UDP it says only that it is truncated. */
  readonly needsTcp?: boolean;
  /** Says nothing. */
  readonly isSilent?: boolean;
  /** Changes the bytes of the answer: another id, another question. */
  readonly forge?: (bytes: Buffer) => void;
  /** Sent before the answer. */
  readonly before?: (answer: Buffer) => Buffer;
}

/** A record with an address, of either family. */
export function addressRecord(name: string, address: string, ttlSeconds = 60): DnsRecord {
  const type = address.includes(':') ? RecordType.aaaa : RecordType.a;
  return { name, type, class: 1, ttlSeconds, data: { kind: 'address', address } };
}

/** A record that says that a name is another one's. */
export function aliasRecord(name: string, target: string, ttlSeconds = 60): DnsRecord {
  return { name, type: RecordType.cname, class: 1, ttlSeconds, data: { kind: 'name', name: target } };
}

/**
 * A DNS server for tests, by UDP and TCP on the same port. It answers from `zone`, keyed by `name type`, with
 * NXDOMAIN where the name has no entry of any type.
 */
export class DnsTestServer {
  readonly zone = new Map<string, DnsAnswer>();
  /** Every question that arrived, as `udp name type` or `tcp name type`. */
  readonly asked: string[] = [];
  private socket: DatagramSocket | null = null;
  private listener: Listener | null = null;

  /** Binds to `host`; port 0 lets the system choose. */
  static async start(
    datagrams: DatagramTransport,
    transport: Transport,
    local: DatagramAddress,
  ): Promise<DnsTestServer> {
    const server = new DnsTestServer();
    server.socket = await datagrams.openDatagrams(
      { local, peer: null },
      { onDatagram: (bytes, from) => server.onDatagram(bytes, from), onError: () => undefined },
    );
    server.listener = await transport.listen(
      { address: server.socket.address, security: null },
      (connection) => server.accept(connection),
    );
    return server;
  }

  get address(): DatagramAddress {
    return this.socket!.address;
  }

  /** Gives a name these addresses, and no others of their families. */
  setAddresses(name: string, addresses: readonly string[], ttlSeconds = 60): void {
    for (const [type, isMine] of [
      [RecordType.a, (address: string) => !address.includes(':')],
      [RecordType.aaaa, (address: string) => address.includes(':')],
    ] as const) {
      const answers = addresses.filter(isMine).map((address) => addressRecord(name, address, ttlSeconds));
      this.zone.set(`${name} ${type}`, { answers });
    }
  }

  async close(): Promise<void> {
    this.socket?.close();
    await this.listener?.close();
  }

  private onDatagram(bytes: Buffer, from: DatagramAddress): void {
    const [question, answer] = this.find(bytes, 'udp');
    if (question === null || answer.isSilent === true) return;
    const response = write(question, answer, answer.needsTcp === true);
    if (answer.before !== undefined) this.socket!.send(answer.before(response), from);
    this.socket!.send(response, from);
  }

  private accept(connection: Connection) {
    const reader = new FrameReader();
    return {
      onConnect: () => undefined,
      onData: (buffer: Buffer, start: number, end: number) => {
        for (const bytes of reader.push(buffer, start, end)) {
          const [question, answer] = this.find(bytes, 'tcp');
          if (question === null || answer.isSilent === true) continue;
          const frame = frameMessage(write(question, answer, false));
          connection.write(frame, 0, frame.length);
        }
      },
      onEnd: () => connection.end(),
      onDrain: () => undefined,
      onClose: () => undefined,
    };
  }

  private find(bytes: Buffer, by: string): [DnsMessage, DnsAnswer] | [null, DnsAnswer] {
    const message = readMessage(bytes);
    const question = message.ok ? message.value.questions[0] : undefined;
    if (!message.ok || question === undefined) return [null, {}];
    this.asked.push(`${by} ${question.name} ${question.type}`);
    return [message.value, this.zone.get(`${question.name} ${question.type}`) ?? this.nothing(question)];
  }

  private nothing({ name }: DnsQuestion): DnsAnswer {
    const isKnown = [...this.zone.keys()].some((key) => key.startsWith(`${name} `));
    return { responseCode: isKnown ? 0 : 3 };
  }
}

function write(question: DnsMessage, answer: DnsAnswer, isTruncated: boolean): Buffer {
  const bytes = writeMessage({
    ...question,
    isResponse: true,
    recursionAvailable: true,
    isTruncated,
    responseCode: answer.responseCode ?? 0,
    answers: isTruncated ? [] : (answer.answers ?? []),
    ednsPayloadBytes: null,
  });
  answer.forge?.(bytes);
  return bytes;
}
