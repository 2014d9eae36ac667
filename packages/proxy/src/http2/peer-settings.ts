// SETTINGS (RFC 9113 §6.5).
import type { ConnectionFault } from './connection-fault.ts';
import { Faults } from './connection-fault.ts';
import {
  initialWindowBytes,
  maxPayloadBytes,
  maxUint31,
  readUint16,
  readUint32,
  writeUint32,
} from './frame.ts';
import type { Http2Options } from './http2-options.ts';

const SettingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  /** RFC 8441. */
  enableConnectProtocol: 8,
  /** RFC 9218. */
  noRfc7540Priorities: 9,
} as const;

const entryBytes = 6;
/** A frame with more is there to keep us busy; as in nghttp2. */
const maxEntries = 32;
const maxFrameSize = 0xff_ffff;

/** What a server takes that has not said anything yet: fewer are not recommended (RFC 9113 §6.5.2), more might be refused. */
const usualConcurrentStreams = 100;

/** What the peer has said of itself. */
export class PeerSettings {
  headerTableSize = 4096;
  maxConcurrentStreams = usualConcurrentStreams;
  initialWindowSize = initialWindowBytes;
  maxHeaderListSize = Infinity;
  enablesConnectProtocol = false;
  /** A SETTINGS frame has come. */
  areKnown = false;
  private readonly isServer: boolean;
  private ignoresPriorities = -1;

  /** `isServer`: this side is; the peer is a client. */
  constructor(isServer: boolean) {
    this.isServer = isServer;
  }

  /** Takes the payload of a SETTINGS frame over. Returns what is wrong with it, or null. */
  apply(buffer: Buffer, start: number, end: number): ConnectionFault | null {
    if ((end - start) % entryBytes !== 0) return Faults.badFrameSize;
    if (end - start > maxEntries * entryBytes) return Faults.tooManySettings;
    if (!this.areKnown) this.maxConcurrentStreams = Infinity;
    for (let at = start; at < end; at += entryBytes) {
      const fault = this.set(readUint16(buffer, at), readUint32(buffer, at + 2));
      if (fault !== null) return fault;
    }
    this.areKnown = true;
    return null;
  }

  private set(id: number, value: number): ConnectionFault | null {
    switch (id) {
      case SettingId.headerTableSize:
        this.headerTableSize = value;
        return null;
      case SettingId.enablePush:
        // Only clients may ask for it, and nothing is ever pushed.
        return value === 0 || (value === 1 && this.isServer) ? null : Faults.badSetting;
      case SettingId.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return null;
      case SettingId.initialWindowSize:
        this.initialWindowSize = value;
        return value <= maxUint31 ? null : Faults.badWindowSetting;
      case SettingId.maxFrameSize:
        // Frames are never larger than the least that every peer takes: large ones would hold up other streams.
        return value >= maxPayloadBytes && value <= maxFrameSize ? null : Faults.badSetting;
      case SettingId.maxHeaderListSize:
        this.maxHeaderListSize = value;
        return null;
      case SettingId.enableConnectProtocol:
        if (value > 1 || (this.enablesConnectProtocol && value === 0)) return Faults.badSetting;
        this.enablesConnectProtocol = value === 1;
        return null;
      case SettingId.noRfc7540Priorities:
        if (value > 1 || (this.areKnown && value !== Math.max(0, this.ignoresPriorities))) {
          return Faults.badSetting;
        }
        this.ignoresPriorities = value;
        return null;
      default:
        return null;
    }
  }
}

/** The payload of our SETTINGS: what differs from the defaults of the RFC, and what peers are glad to know. */
export function ownSettings(options: Http2Options, isServer: boolean): Buffer {
  const entries: [number, number][] = [
    [SettingId.headerTableSize, options.hpackTableSize],
    [SettingId.initialWindowSize, options.initialStreamWindowSize],
    [SettingId.maxHeaderListSize, options.maxHeaderListBytes],
  ];
  if (isServer) {
    entries.push([SettingId.maxConcurrentStreams, options.maxConcurrentStreams]);
    entries.push([SettingId.noRfc7540Priorities, 1]);
    if (options.allowConnect) entries.push([SettingId.enableConnectProtocol, 1]);
  } else {
    entries.push([SettingId.enablePush, 0]);
  }
  const payload = Buffer.alloc(entries.length * entryBytes);
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * entryBytes);
    writeUint32(payload, index * entryBytes + 2, value);
  });
  return payload;
}
