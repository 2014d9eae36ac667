// Sockets on their way from one sidecar to the next: open in the supervisor for as long as that takes.

/** As much of Node's handle of a socket as is needed. */
export interface SocketHandle {
  readonly fd: number;
  close(): void;
}

export interface HandedOverSocket {
  /** What it is bound to, as its owner calls it. */
  readonly address: string;
  readonly descriptor: number;
}

export class HandedOverSockets {
  readonly sockets: HandedOverSocket[] = [];
  private readonly handles: SocketHandle[] = [];

  add(address: string, handle: SocketHandle): void {
    this.handles.push(handle);
    this.sockets.push({ address, descriptor: handle.fd });
  }

  /** The next sidecar has them, or won't get them. */
  close(): void {
    for (const handle of this.handles.splice(0)) handle.close();
  }
}
