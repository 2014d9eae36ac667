// One DNS query and its answer: from the table, or from the servers that know the rest of the world.
import type { Random } from '@heddle/base';
import type { DnsClient, DnsServers } from './dns-client.ts';
import type { DnsListenerMetrics } from './dns-listener-metrics.ts';
import {
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  RecordType,
  ResponseCode,
  internetClass,
} from './dns-message.ts';
import type { NameTable, TableAnswer } from './name-table.ts';
import { readMessage } from './read-message.ts';
import { writeMessage } from './write-message.ts';

/** RFC 1035 §4.2.1: what a datagram may hold where the client says nothing else. */
const plainDatagramBytes = 512;
/** What we send at most in a datagram, whatever the client takes: more would be cut into fragments. */
const maxDatagramBytes = 1232;
const headerBytes = 12;

export interface QueryAnswererOptions {
  readonly table: NameTable;
  readonly client: DnsClient;
  /** Whom to ask about other names. */
  readonly servers: () => DnsServers;
  readonly maxPendingLookups: number;
  readonly random: Random;
  readonly metrics: DnsListenerMetrics;
}

export class QueryAnswerer {
  private readonly options: QueryAnswererOptions;
  private pending = 0;

  constructor(options: QueryAnswererOptions) {
    this.options = options;
  }

  /** Answers one query; null where there is nothing to say, because it is none. */
  async answer(query: Buffer, isDatagram: boolean): Promise<Buffer | null> {
    const { metrics } = this.options;
    metrics.queries.value++;
    const read = readMessage(query);
    if (!read.ok || read.value.isResponse) {
      metrics.invalidQueries.value++;
      // Answering what may be an answer would make two servers talk for ever.
      if (read.ok || query.length < headerBytes || query.readUInt8(2) >= 0x80) return null;
      return this.finish(unreadable(query), query, plainDatagramBytes);
    }
    const message = read.value;
    const response = await this.respond(message);
    const limit = isDatagram ? datagramLimit(message) : 0xffff;
    return this.finish(response, query, limit);
  }

  private async respond(message: DnsMessage): Promise<DnsMessage> {
    const { table, metrics, client } = this.options;
    const [question, second] = message.questions;
    if (message.opcode !== 0) return reply(message, ResponseCode.notImplemented);
    if (question === undefined || second !== undefined) {
      metrics.invalidQueries.value++;
      return reply(message, ResponseCode.formatError);
    }
    if (question.type === RecordType.a) metrics.addressQueries.value++;
    if (question.type === RecordType.aaaa) metrics.v6AddressQueries.value++;
    const known = question.class === internetClass ? table.find(question.name) : null;
    if (known !== null) {
      metrics.knownNames.value++;
      return {
        ...reply(message, ResponseCode.noError),
        isAuthoritative: true,
        answers: this.records(question, known),
      };
    }
    // A question of our own that comes back to us: whatever leads it here would do so for ever.
    if (client.isAsking(message.id, question)) {
      metrics.unanswered.value++;
      return reply(message, ResponseCode.serverFailure);
    }
    return this.forward(message, question);
  }

  private async forward(message: DnsMessage, question: DnsQuestion): Promise<DnsMessage> {
    const { client, servers, maxPendingLookups, metrics } = this.options;
    if (this.pending >= maxPendingLookups) {
      metrics.overflows.value++;
      return reply(message, ResponseCode.serverFailure);
    }
    this.pending++;
    try {
      metrics.forwarded.value++;
      const found = await client.query(question, servers());
      if (found.ok) {
        const { responseCode, answers, authorities, additionals } = found.message;
        return { ...reply(message, responseCode), answers, authorities, additionals };
      }
      metrics.unanswered.value++;
      return reply(message, ResponseCode.serverFailure);
    } finally {
      this.pending--;
    }
  }

  /** A name of the table without an address of the family exists all the same: no records, no error. */
  private records({ name, type }: DnsQuestion, { v4, v6, ttlSeconds }: TableAnswer): DnsRecord[] {
    const { metrics, random } = this.options;
    const isV4 = type === RecordType.a;
    if (!isV4 && type !== RecordType.aaaa) return [];
    const addresses = isV4 ? v4 : v6;
    (isV4 ? metrics.localAnswers : metrics.localV6Answers).value += addresses.length;
    // Clients take the first one: each is to be it as often as the others.
    const first = addresses.length === 0 ? 0 : random.uint32() % addresses.length;
    return [...addresses.slice(first), ...addresses.slice(0, first)].map((address) => ({
      name,
      type,
      class: internetClass,
      ttlSeconds,
      data: { kind: 'address', address },
    }));
  }

  private finish(response: DnsMessage, query: Buffer, limit: number): Buffer {
    this.options.metrics.responses.value++;
    const bytes = writeMessage(response, limit);
    echoName(query, bytes, response.questions[0]);
    return bytes;
  }
}

/** The name as it was asked, upper case and all: some clients check that (and all may). */
function echoName(query: Buffer, response: Buffer, question: DnsQuestion | undefined): void {
  if (question === undefined) return;
  const end = headerBytes + question.name.length + 2;
  const written = response.toString('latin1', headerBytes, end);
  if (query.toString('latin1', headerBytes, end).toLowerCase() === written) {
    query.copy(response, headerBytes, headerBytes, end);
  }
}

function datagramLimit({ ednsPayloadBytes }: DnsMessage): number {
  return Math.min(Math.max(ednsPayloadBytes ?? 0, plainDatagramBytes), maxDatagramBytes);
}

function reply(message: DnsMessage, responseCode: number): DnsMessage {
  return {
    ...message,
    isResponse: true,
    isAuthoritative: false,
    isTruncated: false,
    recursionAvailable: true,
    responseCode,
    answers: [],
    authorities: [],
    additionals: [],
    ednsPayloadBytes: message.ednsPayloadBytes === null ? null : maxDatagramBytes,
  };
}

/** The answer to bytes that have a header and make no sense behind it. */
function unreadable(query: Buffer): DnsMessage {
  return {
    id: query.readUInt16BE(0),
    isResponse: true,
    opcode: 0,
    isAuthoritative: false,
    isTruncated: false,
    recursionDesired: false,
    recursionAvailable: true,
    responseCode: ResponseCode.formatError,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
    ednsPayloadBytes: null,
  };
}
